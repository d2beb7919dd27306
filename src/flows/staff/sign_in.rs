//! Signing in with a password, and signing out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{
    SessionGrant, SignedInStaff, StaffError, address_counter, admit, clear, counter, entry_of,
    hash_of, write_audit,
};
use crate::app::App;
use crate::domain::staff::{NewStaffSession, Staff, StaffCredentials, Throttle};
use crate::domain::{
    Actor, AuditAction, AuditEntry, ProviderId, RequestContext, Secret, StaffId, StaffPolicy,
    StaffSessionId, Uid,
};
use crate::storage::{
    StorageError, Tx, audit, staff, staff_links, staff_sessions, staff_throttles,
};

/// How long what has expired is kept, to be looked at.
const KEEP_EXPIRED: TimeDelta = TimeDelta::days(7);

/// A try to sign in.
pub struct SignInStaff {
    /// The address of mail, as it was typed.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// The session that the browser holds now; it ends.
    pub replaces: Option<StaffSessionId>,
}

/// Who signed in, or is half-way.
#[derive(Debug)]
pub struct StaffSignedIn {
    /// Who.
    pub staff_id: StaffId,
    /// What the browser gets.
    pub grant: SessionGrant,
    /// Whether the second factor is owed before anything else.
    pub awaits_code: bool,
}

/// Signs a member of staff in, as far as a password does.
///
/// The try is counted before the password is checked, and an unknown address takes the same steps as a known one.
///
/// # Errors
/// [`StaffError::Refused`], [`StaffError::Throttled`], and what passwords and the database may be unable to do.
pub async fn sign_in_staff(
    app: &App,
    request: SignInStaff,
    context: RequestContext,
) -> Result<StaffSignedIn, StaffError> {
    let now = app.clock.now();
    let folded = request.email.trim().to_lowercase();
    let account = counter(Throttle::Account, &folded);
    let counters = [address_counter(&context), account];
    let found = app
        .db
        .write(move |tx| {
            admit(tx, &counters, now)?;
            Ok::<_, StaffError>(staff::find_credentials_by_email(tx, &folded)?)
        })
        .await?;
    let (who, hash) = match found {
        Some((staff, credentials)) => (Some(staff), credentials.password_hash),
        None => (None, None),
    };
    let is_right = app.passwords.verify(request.password, hash.clone()).await?;

    let key = new_key(app);
    let policy = app.staff_policy;
    let attempt = Attempt {
        who: who.map(|staff| staff.id),
        hash: hash.filter(|_| is_right),
        counters,
        replaces: request.replaces,
        key_hash: hash_of(key.expose()),
        policy,
        context,
    };
    let opened = app.db.write(move |tx| attempt.conclude(tx, now)).await?;
    let (staff_id, session_id, awaits_code) = opened.ok_or(StaffError::Refused)?;
    Ok(StaffSignedIn {
        staff_id,
        grant: SessionGrant { session_id, key },
        awaits_code,
    })
}

/// A fresh key for a cookie.
pub(super) fn new_key(app: &App) -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(app.random::<32>()))
}

/// What is known once the password was checked.
struct Attempt {
    who: Option<StaffId>,
    /// The hash that the password was right for.
    hash: Option<String>,
    counters: [(Throttle, [u8; 32]); 2],
    replaces: Option<StaffSessionId>,
    key_hash: [u8; 32],
    policy: StaffPolicy,
    context: RequestContext,
}

impl Attempt {
    /// Opens the session, or writes down that there is none: a refusal must be stored, so it is no error here.
    fn conclude(
        &self,
        tx: &mut Tx<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<(StaffId, StaffSessionId, bool)>, StorageError> {
        clear_expired(tx, now)?;
        let known = match self.who {
            Some(id) => staff::find_for_update(tx, id)?,
            None => None,
        };
        // The account may have changed while the password was checked.
        let is_right = |credentials: &StaffCredentials| {
            self.hash.is_some() && credentials.password_hash == self.hash
        };
        match known {
            Some((staff, credentials)) if staff.is_active && is_right(&credentials) => {
                let session_id = self.open(tx, &staff, now)?;
                Ok(Some((staff.id, session_id, staff.has_second_factor)))
            }
            known => {
                self.refuse(tx, known.map(|(staff, _)| staff), now)?;
                Ok(None)
            }
        }
    }

    fn open(
        &self,
        tx: &mut Tx<'_>,
        staff: &Staff,
        now: DateTime<Utc>,
    ) -> Result<StaffSessionId, StorageError> {
        clear(tx, &self.counters)?;
        if let Some(old) = self.replaces {
            staff_sessions::revoke(tx, staff.id, old, "replaced", now)?;
        }
        let new = OpenSession {
            staff,
            key_hash: &self.key_hash,
            policy: &self.policy,
            context: &self.context,
            provider: None,
            authenticated_at: now,
        };
        let session_id = new.open(tx, now)?;
        if !staff.has_second_factor {
            note_sign_in(
                tx,
                staff.id,
                SignInMeans::own("password"),
                &self.context,
                now,
            )?;
        }
        Ok(session_id)
    }

    fn refuse(
        &self,
        tx: &mut Tx<'_>,
        known: Option<Staff>,
        now: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        let reason = match &known {
            None => "unknown",
            Some(staff) if !staff.is_active => "inactive",
            Some(_) => "wrong_password",
        };
        write_audit(
            tx,
            Actor::Anonymous,
            AuditAction::StaffSignInRefused,
            Some(reason),
            known.map(|staff| json!({ "staff_id": staff.id.0 })),
            &self.context,
            now,
        )
    }
}

/// A session that is about to be opened for somebody who proved who they are.
pub(super) struct OpenSession<'a> {
    pub(super) staff: &'a Staff,
    pub(super) key_hash: &'a [u8; 32],
    pub(super) policy: &'a StaffPolicy,
    pub(super) context: &'a RequestContext,
    /// The provider that they came through.
    pub(super) provider: Option<&'a ProviderId>,
    /// When they last proved who they are, as far as we know.
    pub(super) authenticated_at: DateTime<Utc>,
}

impl OpenSession<'_> {
    pub(super) fn open(
        &self,
        tx: &mut Tx<'_>,
        now: DateTime<Utc>,
    ) -> Result<StaffSessionId, StorageError> {
        let address = self.context.address;
        let new = NewStaffSession {
            staff_id: self.staff.id,
            awaits_code: self.staff.has_second_factor,
            authenticated_at: self.authenticated_at,
            provider: self.provider.cloned(),
            expires_at: now + self.policy.session_lifetime,
            address: address.map(|address| address.to_string()),
            user_agent: self.context.user_agent.clone(),
        };
        let id = staff_sessions::insert(tx, &new, now)?;
        staff_sessions::set_key_hash(tx, id, self.key_hash)?;
        Ok(id)
    }
}

/// By what somebody signed in.
#[derive(Clone, Copy)]
pub(super) struct SignInMeans<'a> {
    /// The word for the audit log.
    pub(super) by: &'static str,
    /// The provider that they came through.
    pub(super) provider: Option<&'a ProviderId>,
    /// Who they are there, where it was asked just now.
    pub(super) uid: Option<&'a Uid>,
}

impl SignInMeans<'_> {
    /// By something that is ours alone.
    pub(super) const fn own(by: &'static str) -> Self {
        Self {
            by,
            provider: None,
            uid: None,
        }
    }
}

/// Writes down that somebody signed in, and by what.
pub(super) fn note_sign_in(
    tx: &mut Tx<'_>,
    id: StaffId,
    means: SignInMeans<'_>,
    context: &RequestContext,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    staff::set_last_sign_in(tx, id, now)?;
    let (actor, detail) = (Actor::Staff(id), json!({ "by": means.by }));
    let entry = AuditEntry {
        provider: means.provider.cloned(),
        uid: means.uid.cloned(),
        ..entry_of(actor, AuditAction::StaffSignedIn, Some(detail), context)
    };
    audit::insert(tx, &entry, now)
}

/// Staff sign in a few times a day: the right moment to sweep.
pub(super) fn clear_expired(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<(), StorageError> {
    staff_throttles::delete_expired(tx, now)?;
    staff_sessions::delete_expired(tx, now - KEEP_EXPIRED)?;
    staff_links::delete_expired(tx, now - KEEP_EXPIRED)?;
    Ok(())
}

/// Ends the session, on every instance at once.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn sign_out_staff(
    app: &App,
    who: &SignedInStaff,
    context: RequestContext,
) -> Result<(), StorageError> {
    let now = app.clock.now();
    let (staff_id, session_id) = (who.staff.id, who.session.id);
    app.db
        .write(move |tx| {
            if staff_sessions::revoke(tx, staff_id, session_id, "signed_out", now)? {
                write_audit(
                    tx,
                    Actor::Staff(staff_id),
                    AuditAction::StaffSignedOut,
                    None,
                    None,
                    &context,
                    now,
                )?;
            }
            Ok::<_, StorageError>(())
        })
        .await
}
