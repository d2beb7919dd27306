//! "Check with the provider".

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Deserialize;

use super::super::context::{ContextOf, StaffContext};
use super::super::error::AdminError;
use super::super::forms::ProtectedForm;
use super::super::notices::Notice;
use super::super::text::t;
use super::timeline::check_words;
use super::{failed, title_of, user_path};
use crate::app::App;
use crate::domain::{SocialAuthId, UserId};
use crate::flows::people::{PersonError, check_token};
use crate::providers::TokenState;

/// Nothing but the token.
#[derive(Deserialize)]
pub struct CheckForm {}

/// `POST /admin/users/{id}/accounts/{account}/check`
///
/// # Errors
/// [`AdminError::Conflict`] when the account is gone, [`AdminError::Storage`].
pub async fn check(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    path: Path<(i64, i64)>,
    ProtectedForm(CheckForm {}): ProtectedForm<CheckForm>,
) -> Result<HttpResponse, AdminError> {
    let (user_id, id) = path.into_inner();
    let user_id = UserId(user_id);
    let checked = check_token(&app, staff.by(context), user_id, SocialAuthId(id)).await;
    let notice = match checked {
        Ok(checked) => {
            let title = title_of(&app, checked.provider.as_str());
            let text = t("person-checked")
                .with("provider", title)
                .with("result", check_words(checked.state.as_str()));
            match checked.state {
                TokenState::Works => Notice::ok(text),
                _ => Notice::warn(text),
            }
        }
        Err(PersonError::TooSoon {
            retry_after_seconds,
        }) => Notice::warn(t("person-checked-too-soon").with("count", retry_after_seconds)),
        Err(error) => return Err(failed(error, user_id)),
    };
    Ok(staff.redirect_with_notice(&user_path(user_id), notice))
}
