//! Association tickets: the next sign-in with a social account that nobody has associates it with a user of the admin's choice.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{PersonError, entry};
use crate::app::App;
use crate::domain::stewardship::{By, Reason, StandingOrder, TICKET_DAYS};
use crate::domain::{AuditAction, ProviderId, Uid, UserId};
use crate::storage::standing_orders::NewStandingOrder;
use crate::storage::{audit, social_auths, standing_orders, users};

/// What is wanted.
#[derive(Debug, Clone)]
pub struct TicketRequest {
    /// With whom the account is to be associated.
    pub user_id: UserId,
    /// At which provider the account is.
    pub provider: ProviderId,
    /// The provider's id of the person.
    pub uid: Uid,
    /// Why.
    pub reason: Reason,
}

/// Issues a ticket in the place of whatever was ordered about the account before, and says until when it is good. It is used up by
/// the first sign-in with the account.
///
/// # Errors
/// [`PersonError::UserNotFound`], [`PersonError::Inactive`]; [`PersonError::Taken`] when the account is somebody's.
pub async fn issue_association_ticket(
    app: &Arc<App>,
    by: By,
    request: TicketRequest,
) -> Result<DateTime<Utc>, PersonError> {
    let now = app.clock.now();
    let expires_at = now + TimeDelta::days(TICKET_DAYS);
    app.db
        .write(move |tx| -> Result<(), PersonError> {
            let TicketRequest {
                user_id,
                provider,
                uid,
                reason,
            } = &request;
            let user = users::find(tx, *user_id)?.ok_or(PersonError::UserNotFound)?;
            if !user.is_active {
                return Err(PersonError::Inactive);
            }
            if social_auths::find_with_owner(tx, provider, uid)?.is_some() {
                return Err(PersonError::Taken);
            }
            let order = NewStandingOrder {
                provider,
                uid,
                order: StandingOrder::AssociateWith(*user_id),
                user_id: *user_id,
                actor: by.actor,
                reason: reason.as_str(),
                expires_at,
            };
            standing_orders::put(tx, &order, now)?;
            let mut entry = entry(&by, AuditAction::AssociationTicketIssued, *user_id);
            entry.reason = Some(reason.as_str().to_owned().into());
            entry.provider = Some(provider.clone());
            entry.uid = Some(uid.clone());
            entry.detail = Some(json!({ "expires_at": expires_at.to_rfc3339() }));
            audit::insert(tx, &entry, now)?;
            Ok(())
        })
        .await?;
    Ok(expires_at)
}
