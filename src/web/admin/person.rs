//! A user's page, and what staff do from there.

pub mod activation;
pub mod check;
pub mod json_tree;
pub mod sessions;
pub mod show;
pub mod ticket;
pub mod timeline;
pub mod unlink;

use super::error::AdminError;
use crate::app::App;
use crate::domain::stewardship::{Reason, ReasonProblem};
use crate::domain::{User, UserId};
use crate::flows::people::PersonError;

/// The address of a user's page.
#[must_use]
pub fn user_path(id: UserId) -> String {
    format!("/admin/users/{id}")
}

/// How a user is called: by name, else by user name.
#[must_use]
pub fn name_of(user: &User) -> String {
    let name = format!("{} {}", user.first_name, user.last_name);
    match name.trim() {
        "" => user.username.clone(),
        name => name.to_owned(),
    }
}

/// The provider's title, whether it is on, off or known no more.
fn title_of(app: &App, id: &str) -> String {
    app.providers.face(id).title
}

/// The reason in a form, or what is wrong with it.
fn reason_of(text: &str) -> Result<Reason, &'static str> {
    Reason::parse(text).map_err(|problem| match problem {
        ReasonProblem::TooShort => "Give a reason of at least 3 characters",
        ReasonProblem::TooLong => "Give a reason of at most 200 characters",
    })
}

/// A failure of a flow as a page, for a user whose page is the way on.
fn failed(error: PersonError, user_id: UserId) -> AdminError {
    let conflict = |sentence: &'static str| AdminError::Conflict {
        sentence: sentence.into(),
        onward: ("Show the user as they are now".into(), user_path(user_id)),
    };
    match error {
        PersonError::UserNotFound => AdminError::NotFound,
        PersonError::AccountGone => {
            conflict("The user has no such social account any more. Nothing was done.")
        }
        PersonError::Stale => conflict(
            "The social account was used since the page was shown. Nothing was done: look again and decide again.",
        ),
        PersonError::LastWayIn => conflict(
            "It has become the only way to sign in since the page was shown. Nothing was done: look again and decide again.",
        ),
        PersonError::NotKept => conflict(
            "The time for that is over: the unlinked account is not kept any more. Nothing was done.",
        ),
        PersonError::Taken => conflict(
            "Somebody signed in with that social account since, and it belongs to their user now. Nothing was done.",
        ),
        PersonError::Inactive => conflict("That user is inactive. Nothing was done."),
        PersonError::TooSoon {
            retry_after_seconds,
        } => AdminError::TooMany {
            retry_after_seconds,
        },
        PersonError::Storage(error) => AdminError::Storage(error),
    }
}

/// `2 sessions`, `1 session`.
fn count_of(count: usize, one: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {one}{s}")
}
