//! Somebody whose code was good: as whom they get in, decided in one transaction.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::super::sign_in::{OpenSession, SignInMeans, clear_expired, note_sign_in};
use super::super::{clear, entry_of};
use crate::domain::staff::{
    Admission, FRESH_FACTOR, NotStaff, SameEmail, SignInRule, Staff, Throttle, verified_email,
};
use crate::domain::{
    Actor, AuditAction, AuditEntry, ProviderId, RequestContext, SocialIdentity, StaffId,
    StaffPolicy, StaffSession, StaffSessionId,
};
use crate::storage::authorizations::{Authorization, Purpose};
use crate::storage::{StorageError, Tx, audit, staff, staff_providers, staff_sessions};

/// How far the provider's clock and ours may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// A refusal for the audit log.
pub(super) struct Refused<'a> {
    pub(super) provider: &'a ProviderId,
    pub(super) reason: &'static str,
    /// Whoever the provider says it is.
    pub(super) who: Option<&'a SocialIdentity>,
    pub(super) staff_id: Option<StaffId>,
}

impl<'a> Refused<'a> {
    /// A refusal before anybody was identified.
    pub(super) const fn early(provider: &'a ProviderId, reason: &'static str) -> Self {
        Self {
            provider,
            reason,
            who: None,
            staff_id: None,
        }
    }

    pub(super) fn write(
        &self,
        tx: &mut Tx<'_>,
        context: &RequestContext,
        now: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        let action = AuditAction::StaffSignInRefused;
        let detail = self.staff_id.map(|id| json!({ "staff_id": id.0 }));
        let entry = AuditEntry {
            reason: Some(self.reason.into()),
            provider: Some(self.provider.clone()),
            uid: self.who.map(|who| who.uid.clone()),
            ..entry_of(Actor::Anonymous, action, detail, context)
        };
        audit::insert(tx, &entry, now)
    }
}

/// Somebody whose code was good. Whether they are staff is decided in one transaction, with things as they are then.
pub(super) struct Arrival {
    pub(super) provider: ProviderId,
    pub(super) rule: SignInRule,
    pub(super) identity: SocialIdentity,
    pub(super) authenticated_at: Option<DateTime<Utc>>,
    pub(super) authorization: Authorization,
    pub(super) counters: [(Throttle, [u8; 32]); 1],
    pub(super) key_hash: [u8; 32],
    pub(super) policy: StaffPolicy,
    pub(super) context: RequestContext,
}

/// Why somebody does not get in, and which account that is about.
type NotIn = (&'static str, Option<StaffId>);

impl Arrival {
    /// A refusal must be stored, so it is no error here.
    pub(super) fn conclude(
        &self,
        tx: &mut Tx<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<(StaffSessionId, bool)>, StorageError> {
        clear_expired(tx, now)?;
        let concluded = match self.authorization.purpose {
            Purpose::StaffSignIn => self.sign_in(tx, now)?,
            Purpose::StaffStepUp => self.step_up(tx, now)?,
        };
        match concluded {
            Ok(session) => {
                clear(tx, &self.counters)?;
                staff_providers::touch(tx, &self.provider, &self.identity.uid, now)?;
                Ok(Some(session))
            }
            Err((reason, staff_id)) => {
                let refused = Refused {
                    provider: &self.provider,
                    reason,
                    who: Some(&self.identity),
                    staff_id,
                };
                refused.write(tx, &self.context, now)?;
                Ok(None)
            }
        }
    }

    fn sign_in(
        &self,
        tx: &mut Tx<'_>,
        now: DateTime<Utc>,
    ) -> Result<Result<(StaffSessionId, bool), NotIn>, StorageError> {
        let bound = self.find_bound(tx)?;
        let same_email = match &bound {
            Some(_) => None,
            None => self.find_by_email(tx)?,
        };
        let same = same_email.as_ref().map(|(staff, is_bound)| SameEmail {
            staff,
            is_bound: *is_bound,
        });
        let about = bound.as_ref().or(same.map(|same| same.staff));
        let admission = match self.rule.decide(&self.identity, bound.as_ref(), same) {
            Ok(admission) => admission,
            Err(reason) => return Ok(Err((reason.as_str(), about.map(|staff| staff.id)))),
        };
        let staff_id = match admission {
            Admission::Known(id) => id,
            Admission::Bind(id) => self.bind(tx, id, now)?,
            Admission::New(new) => {
                // Whoever made one with this address meanwhile is found by it in the next round.
                let staff = staff::insert(tx, &new, now)?.ok_or(StorageError::Restart)?;
                let detail = json!({ "staff_id": staff.id.0, "role": new.role.as_str() });
                self.note(tx, Actor::System, AuditAction::StaffInvited, detail, now)?;
                self.bind(tx, staff.id, now)?
            }
        };
        let (staff, _) = staff::find_for_update(tx, staff_id)?.ok_or(StorageError::Restart)?;
        self.open(tx, &staff, now).map(Ok)
    }

    /// The account that signs in with this uid.
    fn find_bound(&self, tx: &mut Tx<'_>) -> Result<Option<Staff>, StorageError> {
        let id = staff_providers::find_staff_id(tx, &self.provider, &self.identity.uid)?;
        let Some(id) = id else { return Ok(None) };
        Ok(staff::find_for_update(tx, id)?.map(|(staff, _)| staff))
    }

    /// The account with the verified address, and whether it signs in as somebody else here.
    fn find_by_email(&self, tx: &mut Tx<'_>) -> Result<Option<(Staff, bool)>, StorageError> {
        let Ok(email) = verified_email(&self.identity) else {
            return Ok(None);
        };
        let found = staff::find_credentials_by_email(tx, &email.to_ascii_lowercase())?;
        let Some((staff, _)) = found else {
            return Ok(None);
        };
        let Some((staff, _)) = staff::find_for_update(tx, staff.id)? else {
            return Ok(None);
        };
        let bound = staff_providers::list_of_staff(tx, staff.id)?;
        let bound = bound.iter().find(|bound| bound.provider == self.provider);
        match bound {
            // Nobody's a moment ago: they were faster in another browser.
            Some(bound) if bound.uid == self.identity.uid => Err(StorageError::Restart),
            bound => Ok(Some((staff, bound.is_some()))),
        }
    }

    fn bind(
        &self,
        tx: &mut Tx<'_>,
        id: StaffId,
        now: DateTime<Utc>,
    ) -> Result<StaffId, StorageError> {
        if !staff_providers::insert(tx, id, &self.provider, &self.identity.uid, now)? {
            return Err(StorageError::Restart);
        }
        let both = json!({ "before": null, "after": self.provider.as_str() });
        let detail = json!({ "staff_id": id.0, "signs_in_with": both });
        self.note(tx, Actor::Staff(id), AuditAction::StaffChanged, detail, now)?;
        Ok(id)
    }

    fn open(
        &self,
        tx: &mut Tx<'_>,
        staff: &Staff,
        now: DateTime<Utc>,
    ) -> Result<(StaffSessionId, bool), StorageError> {
        if let Some(old) = self.authorization.staff_session_id {
            staff_sessions::revoke(tx, staff.id, old, "replaced", now)?;
        }
        // Whoever is signed in at the provider all day long comes back without a question: only its word makes a proof fresh.
        let authenticated_at = self.authenticated_at.unwrap_or(now - FRESH_FACTOR);
        let session = OpenSession {
            staff,
            key_hash: &self.key_hash,
            policy: &self.policy,
            context: &self.context,
            provider: Some(&self.provider),
            authenticated_at: authenticated_at.min(now),
        };
        let session_id = session.open(tx, now)?;
        if !staff.has_second_factor {
            let means = SignInMeans {
                by: "provider",
                provider: Some(&self.provider),
                uid: Some(&self.identity.uid),
            };
            note_sign_in(tx, staff.id, means, &self.context, now)?;
        }
        Ok((session_id, staff.has_second_factor))
    }

    /// The browser sends no session along when another site sends it: the session is the one that it left with.
    fn step_up(
        &self,
        tx: &mut Tx<'_>,
        now: DateTime<Utc>,
    ) -> Result<Result<(StaffSessionId, bool), NotIn>, StorageError> {
        let found = match self.authorization.staff_session_id {
            Some(id) => staff_sessions::find_with_staff(tx, id)?,
            None => None,
        };
        let Some((session, staff)) = found else {
            return Ok(Err(("session_ended", None)));
        };
        let found = staff::find_for_update(tx, staff.id)?;
        let (staff, _) = found.ok_or(StorageError::Restart)?;
        let bound = staff_providers::find_staff_id(tx, &self.provider, &self.identity.uid)?;
        if let Err(reason) = self.judge_step_up(&session, &staff, bound, now) {
            return Ok(Err((reason, Some(staff.id))));
        }
        staff_sessions::set_authenticated(tx, session.id, now)?;
        staff_sessions::set_key_hash(tx, session.id, &self.key_hash)?;
        let (actor, detail) = (Actor::Staff(staff.id), json!({ "by": "provider" }));
        self.note(tx, actor, AuditAction::StaffSteppedUp, detail, now)?;
        Ok(Ok((session.id, false)))
    }

    fn judge_step_up(
        &self,
        session: &StaffSession,
        staff: &Staff,
        bound: Option<StaffId>,
        now: DateTime<Utc>,
    ) -> Result<(), &'static str> {
        let sent_at = self.authorization.created_at;
        let is_anew = |at: DateTime<Utc>| sent_at - LEEWAY <= at && at <= now + LEEWAY;
        if !staff.is_active {
            return Err("inactive");
        }
        if !session.is_live(&self.policy, now) || session.awaits_code {
            return Err("session_ended");
        }
        self.rule.admit(&self.identity).map_err(NotStaff::as_str)?;
        if bound != Some(staff.id) {
            return Err("another_person");
        }
        if staff.has_second_factor {
            // Where there is a second factor, nothing else is a proof.
            return Err("code_needed");
        }
        if !self.authenticated_at.is_some_and(is_anew) {
            return Err("stale_sign_in");
        }
        Ok(())
    }

    /// Writes down what came of it, and of whose account at the provider.
    fn note(
        &self,
        tx: &mut Tx<'_>,
        actor: Actor,
        action: AuditAction,
        detail: Value,
        now: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        let entry = AuditEntry {
            provider: Some(self.provider.clone()),
            uid: Some(self.identity.uid.clone()),
            ..entry_of(actor, action, Some(detail), &self.context)
        };
        audit::insert(tx, &entry, now)
    }
}
