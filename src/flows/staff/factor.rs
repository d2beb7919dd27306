//! Second factors: setting one up, and proving one when signing in or before something dangerous.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::sign_in::{SignInMeans, new_key, note_sign_in};
use super::{
    SessionGrant, SignedInStaff, StaffError, address_counter, admit, clear, counter, hash_of,
    write_audit,
};
use crate::app::App;
use crate::domain::staff::{RECOVERY_CODES, RecoveryCode, StaffCredentials, Throttle, TotpSecret};
use crate::domain::{
    Actor, AuditAction, ProviderId, RequestContext, Secret, StaffId, StaffSessionId,
};
use crate::storage::{StorageError, Tx, staff, staff_sessions};

/// A second factor that is about to be set up. Nothing is stored until its code has proven it.
pub struct NewFactor {
    /// The secret, to be shown.
    pub secret: TotpSecret,
    /// The same, sealed for this account: it goes to the browser and comes back with the code.
    pub sealed: String,
}

/// A fresh secret for the account.
///
/// # Errors
/// [`StaffError::Sealing`].
pub fn new_second_factor(app: &App, id: StaffId) -> Result<NewFactor, StaffError> {
    let secret = TotpSecret::new(app.random());
    let sealed = app.sealer.seal_totp_secret(&secret.base32(), id)?;
    Ok(NewFactor { secret, sealed })
}

/// The second factor in what the browser gave back, to be shown once more.
///
/// # Errors
/// [`StaffError::Sealing`] when it was not made for this account.
pub fn factor_of(app: &App, id: StaffId, sealed: &str) -> Result<NewFactor, StaffError> {
    let text = app.sealer.open_totp_secret(sealed, id)?;
    Ok(NewFactor {
        secret: TotpSecret::parse(&text).ok_or(StaffError::Gone)?,
        sealed: sealed.to_owned(),
    })
}

/// Sets up the second factor, once a code proves that the app has the secret. Other sessions end: they were opened without it.
///
/// Gives the recovery codes, which are shown once.
///
/// # Errors
/// [`StaffError::Refused`] for a wrong code; [`StaffError::Gone`] if there is a second factor already.
pub async fn set_second_factor(
    app: &App,
    who: &SignedInStaff,
    factor: &NewFactor,
    code: &str,
    context: RequestContext,
) -> Result<Vec<Secret>, StaffError> {
    let now = app.clock.now();
    let step = factor
        .secret
        .matching_step(code, now)
        .ok_or(StaffError::Refused)?;
    let (codes, hashes) = recovery_codes(app);
    let (id, session_id, sealed) = (who.staff.id, who.session.id, factor.sealed.clone());
    app.db
        .write(move |tx| {
            let (staff, _) = staff::find_for_update(tx, id)?.ok_or(StaffError::Gone)?;
            if staff.has_second_factor {
                return Err(StaffError::Gone);
            }
            staff::set_totp(tx, id, Some((&sealed, step)), now)?;
            staff::replace_recovery_codes(tx, id, &hashes)?;
            staff_sessions::set_authenticated(tx, session_id, now)?;
            staff_sessions::revoke_all(tx, id, Some(session_id), "second_factor_set", now)?;
            let action = AuditAction::SecondFactorSet;
            write_audit(tx, Actor::Staff(id), action, None, None, &context, now)?;
            Ok(())
        })
        .await?;
    Ok(codes)
}

/// Removes one's own second factor and its recovery codes.
///
/// # Errors
/// [`StaffError::Storage`].
pub async fn remove_second_factor(
    app: &App,
    who: &SignedInStaff,
    context: RequestContext,
) -> Result<(), StaffError> {
    let (now, id) = (app.clock.now(), who.staff.id);
    app.db
        .write(move |tx| {
            staff::set_totp(tx, id, None, now)?;
            staff::replace_recovery_codes(tx, id, &[])?;
            let action = AuditAction::SecondFactorRemoved;
            write_audit(tx, Actor::Staff(id), action, None, None, &context, now)?;
            Ok(())
        })
        .await
}

/// Replaces one's recovery codes; the old ones are worthless from now on.
///
/// # Errors
/// [`StaffError::Gone`] without a second factor.
pub async fn new_recovery_codes(
    app: &App,
    who: &SignedInStaff,
    context: RequestContext,
) -> Result<Vec<Secret>, StaffError> {
    let (now, id) = (app.clock.now(), who.staff.id);
    let (codes, hashes) = recovery_codes(app);
    app.db
        .write(move |tx| {
            let (staff, _) = staff::find_for_update(tx, id)?.ok_or(StaffError::Gone)?;
            if !staff.has_second_factor {
                return Err(StaffError::Gone);
            }
            staff::replace_recovery_codes(tx, id, &hashes)?;
            let detail = json!({ "recovery_codes": "replaced" });
            let action = AuditAction::SecondFactorSet;
            write_audit(
                tx,
                Actor::Staff(id),
                action,
                None,
                Some(detail),
                &context,
                now,
            )?;
            Ok(())
        })
        .await?;
    Ok(codes)
}

fn recovery_codes(app: &App) -> (Vec<Secret>, Vec<[u8; 32]>) {
    (0..RECOVERY_CODES)
        .map(|_| RecoveryCode::new(app.random()))
        .map(|code| (code.grouped(), code.hash()))
        .unzip()
}

/// What somebody offers as proof.
pub enum Factor {
    /// A code of the authenticator, or a recovery code.
    Code(String),
    /// The password, where there is no second factor.
    Password(Secret),
}

/// What proved it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    Totp,
    RecoveryCode,
    Password,
}

impl Proof {
    /// The word for a sign-in that it ended, which may have begun at a provider.
    const fn ending(self, began_at_provider: bool) -> &'static str {
        match (self, began_at_provider) {
            (Self::Totp, false) => "password_and_code",
            (Self::Totp, true) => "provider_and_code",
            (Self::RecoveryCode, false) => "password_and_recovery_code",
            (Self::RecoveryCode, true) => "provider_and_recovery_code",
            (Self::Password, _) => "password",
        }
    }
}

/// Proves a factor: the second one that a sign-in owes, or any again before something dangerous. The session gets a new key.
///
/// Where there is a second factor, the password alone is no proof.
///
/// # Errors
/// [`StaffError::Refused`], [`StaffError::Throttled`].
pub async fn prove_factor(
    app: &App,
    who: &SignedInStaff,
    factor: Factor,
    context: RequestContext,
) -> Result<SessionGrant, StaffError> {
    let now = app.clock.now();
    let id = who.staff.id;
    let own = match &factor {
        Factor::Code(_) => counter(Throttle::Code, &id.to_string()),
        Factor::Password(_) => counter(Throttle::Account, &who.staff.email.to_lowercase()),
    };
    let counters = [address_counter(&context), own];
    let credentials = app
        .db
        .write(move |tx| {
            admit(tx, &counters, now)?;
            let credentials = staff::find_credentials(tx, id)?.ok_or(StaffError::Gone)?;
            Ok::<_, StaffError>(credentials)
        })
        .await?;
    let checked = check(app, id, &factor, &credentials, now).await?;
    let key = new_key(app);
    let conclusion = Conclusion {
        id,
        session_id: who.session.id,
        was_awaiting: who.session.awaits_code,
        provider: who.session.provider.clone(),
        checked,
        credentials,
        counters,
        key_hash: hash_of(key.expose()),
        context,
    };
    let is_proven = app.db.write(move |tx| conclusion.conclude(tx, now)).await?;
    if !is_proven {
        return Err(StaffError::Refused);
    }
    Ok(SessionGrant {
        session_id: who.session.id,
        key,
    })
}

/// A proof that still has to be used up.
#[derive(Clone, Copy)]
enum Checked {
    Step(i64),
    Recovery([u8; 32]),
    Password,
    Wrong,
}

async fn check(
    app: &App,
    id: StaffId,
    factor: &Factor,
    credentials: &StaffCredentials,
    now: DateTime<Utc>,
) -> Result<Checked, StaffError> {
    match (factor, &credentials.totp_secret) {
        (Factor::Code(code), Some(sealed)) => {
            let text = app.sealer.open_totp_secret(sealed, id)?;
            let secret = TotpSecret::parse(&text).ok_or(StaffError::Gone)?;
            if let Some(step) = secret.matching_step(code, now) {
                return Ok(Checked::Step(step));
            }
            let recovery = RecoveryCode::parse(code);
            Ok(recovery.map_or(Checked::Wrong, |code| Checked::Recovery(code.hash())))
        }
        (Factor::Password(password), None) => {
            let hash = credentials.password_hash.clone();
            let is_right = app.passwords.verify(password.clone(), hash).await?;
            Ok(if is_right {
                Checked::Password
            } else {
                Checked::Wrong
            })
        }
        (Factor::Code(_), None) | (Factor::Password(_), Some(_)) => Ok(Checked::Wrong),
    }
}

struct Conclusion {
    id: StaffId,
    session_id: StaffSessionId,
    was_awaiting: bool,
    /// Through which the sign-in began.
    provider: Option<ProviderId>,
    checked: Checked,
    /// Those that it was checked against.
    credentials: StaffCredentials,
    counters: [(Throttle, [u8; 32]); 2],
    key_hash: [u8; 32],
    context: RequestContext,
}

impl Conclusion {
    /// Uses the proof up. A refusal must be stored, so it is no error here.
    fn conclude(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<bool, StorageError> {
        let checked = match staff::find_for_update(tx, self.id)? {
            Some((staff, now)) if staff.is_active && self.credentials.are_still(&now) => {
                self.checked
            }
            Some(_) | None => Checked::Wrong,
        };
        let proof = match checked {
            Checked::Step(step) => staff::use_totp_step(tx, self.id, step)?.then_some(Proof::Totp),
            Checked::Recovery(hash) => {
                staff::use_recovery_code(tx, self.id, &hash, now)?.then_some(Proof::RecoveryCode)
            }
            Checked::Password => Some(Proof::Password),
            Checked::Wrong => None,
        };
        let Some(proof) = proof else {
            self.refuse(tx, now)?;
            return Ok(false);
        };
        clear(tx, &self.counters)?;
        staff_sessions::set_authenticated(tx, self.session_id, now)?;
        staff_sessions::set_key_hash(tx, self.session_id, &self.key_hash)?;
        if proof == Proof::RecoveryCode {
            self.note(tx, AuditAction::RecoveryCodeUsed, now)?;
        }
        if self.was_awaiting {
            let means = SignInMeans {
                by: proof.ending(self.provider.is_some()),
                provider: self.provider.as_ref(),
                uid: None,
            };
            note_sign_in(tx, self.id, means, &self.context, now)?;
        } else {
            self.note(tx, AuditAction::StaffSteppedUp, now)?;
        }
        Ok(true)
    }

    fn note(
        &self,
        tx: &mut Tx<'_>,
        action: AuditAction,
        now: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        write_audit(
            tx,
            Actor::Staff(self.id),
            action,
            None,
            None,
            &self.context,
            now,
        )
    }

    fn refuse(&self, tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<(), StorageError> {
        write_audit(
            tx,
            Actor::Anonymous,
            AuditAction::StaffSignInRefused,
            Some("wrong_factor"),
            Some(json!({ "staff_id": self.id.0 })),
            &self.context,
            now,
        )
    }
}
