//! One-time links: the first superuser, invitations, forgotten passwords.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::sign_in::{OpenSession, SignInMeans, new_key, note_sign_in};
use super::{SessionGrant, StaffError, hash_of, write_audit};
use crate::app::App;
use crate::domain::staff::{DisplayName, NewStaff, StaffEmail, check_password};
use crate::domain::{
    Actor, AuditAction, RequestContext, Role, Secret, Staff, StaffId, StaffPolicy, StaffSessionId,
};
use crate::storage::staff_links::LinkFor;
use crate::storage::{StorageError, Tx, staff, staff_links, staff_sessions};

/// How long a link holds that a command or the log printed.
pub const FIRST_LINK: TimeDelta = TimeDelta::minutes(15);
/// How long a link holds that a superuser hands to a colleague.
pub(super) const INVITATION: TimeDelta = TimeDelta::hours(24);

/// Whom a usable link is for.
#[derive(Debug, Clone)]
pub enum LinkHolder {
    /// Whoever becomes the first superuser.
    FirstSuperuser,
    /// This account, which gets a password by it.
    Staff(Staff),
}

/// What the first superuser says of themselves.
#[derive(Debug, Clone)]
pub struct FirstSuperuser {
    /// The address to sign in with.
    pub email: StaffEmail,
    /// The name to show.
    pub display_name: DisplayName,
}

/// Somebody who set a password by a link, and is signed in as far as that goes.
#[derive(Debug)]
pub struct RedeemedLink {
    /// What the browser gets.
    pub grant: SessionGrant,
    /// Whether the second factor is owed before anything else.
    pub awaits_code: bool,
}

/// Makes a link and stores its hash. Gives its token.
pub(super) fn issue(
    tx: &mut Tx<'_>,
    random: [u8; 32],
    link_for: LinkFor,
    lifetime: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Secret, StorageError> {
    let token = URL_SAFE_NO_PAD.encode(random);
    staff_links::insert(tx, &hash_of(&token), link_for, now + lifetime, now)?;
    Ok(Secret::new(token))
}

/// A link for the first superuser, unless there is any staff already.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn issue_first_link(app: &App) -> Result<Option<Secret>, StorageError> {
    // Most starts find staff, and write nothing.
    if app.db.read(staff::exists).await? {
        return Ok(None);
    }
    let (now, random) = (app.clock.now(), app.random());
    app.db
        .write(move |tx| {
            if staff::exists(tx)? {
                return Ok(None);
            }
            issue(tx, random, LinkFor::FirstSuperuser, FIRST_LINK, now).map(Some)
        })
        .await
}

/// Whom the link with this token is for, if it can still be used.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn find_link(app: &App, token: &str) -> Result<Option<LinkHolder>, StorageError> {
    let (now, hash) = (app.clock.now(), hash_of(token));
    app.db
        .read(move |reader| match staff_links::find(reader, &hash, now)? {
            None => Ok(None),
            Some(LinkFor::FirstSuperuser) if staff::exists(reader)? => Ok(None),
            Some(LinkFor::FirstSuperuser) => Ok(Some(LinkHolder::FirstSuperuser)),
            Some(LinkFor::Staff(id)) => {
                let staff = staff::find(reader, id)?.filter(|staff| staff.is_active);
                Ok(staff.map(LinkHolder::Staff))
            }
        })
        .await
}

/// Uses a link up: sets the password, ends all other sessions of the account, and signs in. `first` is needed for the first
/// superuser's link, and ignored for others.
///
/// # Errors
/// [`StaffError::Gone`] when the link cannot be used; [`StaffError::WeakPassword`]; [`StaffError::EmailTaken`].
pub async fn redeem_link(
    app: &App,
    token: &Secret,
    first: Option<FirstSuperuser>,
    password: Secret,
    context: RequestContext,
) -> Result<RedeemedLink, StaffError> {
    // Whoever has no usable link costs no hash.
    let holder = find_link(app, token.expose()).await?;
    let (email, name) = match (&holder, &first) {
        (Some(LinkHolder::Staff(staff)), _) => (&*staff.email, &*staff.display_name),
        (Some(LinkHolder::FirstSuperuser), Some(first)) => {
            (first.email.as_str(), first.display_name.as_str())
        }
        (Some(LinkHolder::FirstSuperuser), None) | (None, _) => return Err(StaffError::Gone),
    };
    check_password(password.expose(), email, name).map_err(StaffError::WeakPassword)?;
    let password_hash = app.passwords.hash(password, app.random()).await?;
    let key = new_key(app);
    let redemption = Redemption {
        hash: hash_of(token.expose()),
        first,
        password_hash,
        key_hash: hash_of(key.expose()),
        policy: app.staff_policy,
        context,
    };
    let now = app.clock.now();
    let (session_id, awaits_code) = app.db.write(move |tx| redemption.redeem(tx, now)).await?;
    Ok(RedeemedLink {
        grant: SessionGrant { session_id, key },
        awaits_code,
    })
}

struct Redemption {
    hash: [u8; 32],
    first: Option<FirstSuperuser>,
    password_hash: String,
    key_hash: [u8; 32],
    policy: StaffPolicy,
    context: RequestContext,
}

impl Redemption {
    fn redeem(
        &self,
        tx: &mut Tx<'_>,
        now: DateTime<Utc>,
    ) -> Result<(StaffSessionId, bool), StaffError> {
        let link_for = staff_links::redeem(tx, &self.hash, now)?.ok_or(StaffError::Gone)?;
        let id = match link_for {
            LinkFor::Staff(id) => id,
            LinkFor::FirstSuperuser => self.become_first(tx, now)?,
        };
        let (staff, _) = staff::find_for_update(tx, id)?.ok_or(StaffError::Gone)?;
        if !staff.is_active {
            return Err(StaffError::Gone);
        }
        staff::set_password_hash(tx, id, &self.password_hash, now)?;
        staff_sessions::revoke_all(tx, id, None, "password_set", now)?;
        let detail = json!({ "by": "link" });
        let action = AuditAction::PasswordSet;
        write_audit(
            tx,
            Actor::Staff(id),
            action,
            None,
            Some(detail),
            &self.context,
            now,
        )?;
        let session = OpenSession {
            staff: &staff,
            key_hash: &self.key_hash,
            policy: &self.policy,
            context: &self.context,
            provider: None,
            authenticated_at: now,
        };
        let session_id = session.open(tx, now)?;
        if !staff.has_second_factor {
            note_sign_in(tx, id, SignInMeans::own("link"), &self.context, now)?;
        }
        Ok((session_id, staff.has_second_factor))
    }

    fn become_first(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<StaffId, StaffError> {
        let first = self.first.as_ref().ok_or(StaffError::Gone)?;
        if staff::exists(tx)? {
            return Err(StaffError::Gone);
        }
        let new = NewStaff {
            email: first.email.clone(),
            display_name: first.display_name.clone(),
            role: Role::Superuser,
        };
        let staff = staff::insert(tx, &new, now)?.ok_or(StaffError::EmailTaken)?;
        let detail = json!({ "staff_id": staff.id.0, "role": new.role.as_str() });
        let action = AuditAction::StaffInvited;
        write_audit(
            tx,
            Actor::System,
            action,
            None,
            Some(detail),
            &self.context,
            now,
        )?;
        Ok(staff.id)
    }
}
