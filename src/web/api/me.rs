//! `GET /me`

use actix_web::HttpResponse;
use serde::Serialize;

use crate::domain::User;
use crate::web::extract::SignedIn;
use crate::web::rfc3339;

/// `GET /me`: the user behind the bearer.
pub async fn show_me(signed_in: SignedIn) -> HttpResponse {
    HttpResponse::Ok().json(UserBody::from(&signed_in.0.user))
}

/// A user as callers see it.
#[derive(Serialize)]
pub struct UserBody<'a> {
    id: i64,
    username: &'a str,
    email: Option<&'a str>,
    email_verified: bool,
    first_name: &'a str,
    last_name: &'a str,
    date_joined: String,
}

impl<'a> From<&'a User> for UserBody<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id.0,
            username: &user.username,
            email: user.email.as_deref(),
            email_verified: user.email_verified,
            first_name: &user.first_name,
            last_name: &user.last_name,
            date_joined: rfc3339(user.date_joined),
        }
    }
}
