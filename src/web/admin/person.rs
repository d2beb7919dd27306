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
use super::text::{Message, t};
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
fn reason_of(text: &str) -> Result<Reason, Message> {
    Reason::parse(text).map_err(|problem| match problem {
        ReasonProblem::TooShort => t("person-reason-too-short"),
        ReasonProblem::TooLong => t("person-reason-too-long"),
    })
}

/// A failure of a flow as a page, for a user whose page is the way on.
fn failed(error: PersonError, user_id: UserId) -> AdminError {
    let conflict = |sentence| AdminError::Conflict {
        sentence,
        onward: (t("person-show-now"), user_path(user_id)),
    };
    match error {
        PersonError::UserNotFound => AdminError::NotFound,
        PersonError::AccountGone => conflict(t("person-conflict-account-gone")),
        PersonError::Stale => conflict(t("person-conflict-stale")),
        PersonError::LastWayIn => conflict(t("person-conflict-last-way-in")),
        PersonError::NotKept => conflict(t("person-conflict-not-kept")),
        PersonError::Taken => conflict(t("person-conflict-taken")),
        PersonError::Inactive => conflict(t("person-conflict-inactive")),
        PersonError::TooSoon {
            retry_after_seconds,
        } => AdminError::TooMany {
            retry_after_seconds,
        },
        PersonError::Storage(error) => AdminError::Storage(error),
    }
}
