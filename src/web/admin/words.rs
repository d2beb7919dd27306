//! Words for codes: what was done, why it was refused, what failed. The codes are for machines, these are for people.

use super::text::{Arg, Message, t};
use crate::domain::Role;
use crate::domain::hand_in::ProofKind;
use crate::domain::provider_health::Check;
use crate::domain::staff::PasswordProblem;
use crate::providers::entry::AudienceProof;

/// Actions of the audit log, each with the id of its words, in the order in which a filter offers them.
pub const ACTIONS: &[(&str, &str)] = &[
    ("signed_up", "action-signed-up"),
    ("signed_in", "action-signed-in"),
    ("associated", "action-associated"),
    ("refused", "action-refused"),
    ("session_refreshed", "action-session-refreshed"),
    ("refresh_token_reused", "action-refresh-token-reused"),
    ("link_ticket_issued", "action-link-ticket-issued"),
    ("leftovers_cleared", "action-leftovers-cleared"),
    ("user_viewed", "action-user-viewed"),
    ("unlinked", "action-unlinked"),
    ("unlink_undone", "action-unlink-undone"),
    ("token_revoked", "action-token-revoked"),
    (
        "association_ticket_issued",
        "action-association-ticket-issued",
    ),
    (
        "association_ticket_redeemed",
        "action-association-ticket-redeemed",
    ),
    ("associated_in_advance", "action-associated-in-advance"),
    ("deactivated", "action-deactivated"),
    ("reactivated", "action-reactivated"),
    ("session_revoked", "action-session-revoked"),
    ("sessions_revoked", "action-sessions-revoked"),
    ("token_checked", "action-token-checked"),
    ("list_exported", "action-list-exported"),
    ("provider_tested", "action-provider-tested"),
    ("webhook_tested", "action-webhook-tested"),
    ("webhook_resent", "action-webhook-resent"),
    ("staff_signed_in", "action-staff-signed-in"),
    ("staff_sign_in_refused", "action-staff-sign-in-refused"),
    ("staff_signed_out", "action-staff-signed-out"),
    ("staff_stepped_up", "action-staff-stepped-up"),
    ("staff_invited", "action-staff-invited"),
    ("staff_changed", "action-staff-changed"),
    ("staff_deactivated", "action-staff-deactivated"),
    ("password_set", "action-password-set"),
    ("second_factor_set", "action-second-factor-set"),
    ("second_factor_removed", "action-second-factor-removed"),
    ("recovery_code_used", "action-recovery-code-used"),
    ("api_client_created", "action-api-client-created"),
    ("api_client_deactivated", "action-api-client-deactivated"),
    ("client_token_issued", "action-client-token-issued"),
    ("client_token_refused", "action-client-token-refused"),
];

/// A role.
#[must_use]
pub const fn role(role: Role) -> Message {
    t(match role {
        Role::Staff => "role-staff",
        Role::Admin => "role-admin",
        Role::Superuser => "role-superuser",
    })
}

/// What is wrong with a password.
#[must_use]
pub const fn password_problem(problem: PasswordProblem) -> Message {
    t(match problem {
        PasswordProblem::TooShort => "password-too-short",
        PasswordProblem::TooLong => "password-too-long",
        PasswordProblem::Guessable => "password-guessable",
    })
}

/// An API client among people.
#[must_use]
pub fn api_client(title: &str) -> Message {
    t("actor-api-client").with("title", title)
}

/// Codes of refusals, each with the id of its words.
const REASONS: &[(&str, &str)] = &[
    ("invalid_token", "reason-invalid-token"),
    ("expired_token", "reason-expired-token"),
    ("wrong_audience", "reason-wrong-audience"),
    ("unbound_token", "reason-unbound-token"),
    ("nonce_mismatch", "reason-nonce-mismatch"),
    ("nonce_spent", "reason-nonce-spent"),
    ("social_auth_failed", "reason-social-auth-failed"),
    ("already_in_use", "reason-already-in-use"),
    ("not_signed_up", "reason-not-signed-up"),
    ("already_signed_up", "reason-already-signed-up"),
    ("inactive_user", "reason-inactive-user"),
    ("account_refused", "reason-account-refused"),
    ("sign_ups_closed", "reason-sign-ups-closed"),
    ("email_not_allowed", "reason-email-not-allowed"),
    ("email_in_use", "reason-email-in-use"),
    ("link_ticket_invalid", "reason-link-ticket-invalid"),
    ("invalid_bearer", "reason-invalid-bearer"),
    ("link_ticket", "reason-link-ticket"),
    ("wrong_secret", "reason-wrong-secret"),
    ("inactive_client", "reason-inactive-client"),
    ("no_scope", "reason-no-scope"),
    ("invalid_scope", "reason-invalid-scope"),
    ("wrong_domain", "reason-wrong-domain"),
    ("unverified_email", "reason-unverified-email"),
    ("not_allowed", "reason-not-allowed"),
    ("no_account", "reason-no-account"),
    ("other_uid", "reason-other-uid"),
    ("another_person", "reason-another-person"),
    ("code_needed", "reason-code-needed"),
    ("stale_sign_in", "reason-stale-sign-in"),
    ("session_ended", "reason-session-ended"),
    ("unknown_state", "reason-unknown-state"),
    ("expired_state", "reason-expired-state"),
    ("missing_code", "reason-missing-code"),
    ("wrong_issuer", "reason-wrong-issuer"),
    ("refused_by_provider", "reason-refused-by-provider"),
    ("unknown", "reason-unknown"),
    ("inactive", "reason-inactive"),
    ("wrong_password", "reason-wrong-password"),
    ("wrong_factor", "reason-wrong-factor"),
];

fn find(table: &[(&str, &'static str)], code: &str) -> Option<Message> {
    let mut entries = table.iter();
    let found = entries.find(|(known, _)| *known == code);
    found.map(|(_, id)| t(id))
}

/// What was done, in words; a code of a later version as it is.
#[must_use]
pub fn action(code: &str) -> Message {
    find(ACTIONS, code).unwrap_or_else(|| Message::verbatim(code.replace('_', " ")))
}

/// Why, in words; what is no code is a sentence already.
#[must_use]
pub fn reason(code: &str) -> Message {
    find(REASONS, code)
        .or_else(|| Check::parse(code).map(outage))
        .unwrap_or_else(|| Message::verbatim(code.to_owned()))
}

/// Actions whose reason is somebody's own words, or a name.
const OWN_WORDS: &[&str] = &[
    "unlinked",
    "unlink_undone",
    "deactivated",
    "reactivated",
    "association_ticket_issued",
    "associated_in_advance",
    "session_revoked",
    "sessions_revoked",
    "webhook_tested",
    "webhook_resent",
];

/// Codes of what came of an action, each with the action and the id of its words.
const OUTCOMES: &[(&str, &str, &str)] = &[
    ("list_exported", "begun", "outcome-begun"),
    ("list_exported", "page", "outcome-page"),
    ("list_exported", "complete", "outcome-complete"),
    ("list_exported", "broken_off", "outcome-broken-off"),
    ("token_revoked", "revoked", "outcome-revoked"),
    ("token_revoked", "refused", "reason-social-auth-failed"),
    ("token_revoked", "not_reached", "outage-connect"),
    ("token_checked", "works", "trial-works"),
    ("token_checked", "expired", "reason-expired-token"),
    ("token_checked", "refused", "reason-social-auth-failed"),
    ("token_checked", "another_apps", "reason-wrong-audience"),
    (
        "token_checked",
        "another_persons",
        "outcome-another-persons",
    ),
    ("token_checked", "not_reached", "outage-connect"),
    ("token_checked", "not_askable", "outcome-not-askable"),
    ("provider_tested", "ours", "verdict-ours-heading"),
    ("provider_tested", "not_ours", "verdict-not-ours-heading"),
    ("provider_tested", "unproven", "verdict-unproven-heading"),
    ("provider_tested", "expired", "verdict-expired-heading"),
    ("provider_tested", "not_valid", "verdict-not-valid-heading"),
    (
        "provider_tested",
        "not_reached",
        "verdict-not-reached-heading",
    ),
    ("provider_tested", "not_taken", "verdict-not-taken-heading"),
];

/// Whether the reason that goes with an action is somebody's own words, or a name: then it is no code, whatever it says.
#[must_use]
pub fn has_own_words(action: &str) -> bool {
    OWN_WORDS.contains(&action)
}

/// The reason of an audit entry in words: what came of the action, or why it was refused.
#[must_use]
pub fn reason_of(action: &str, code: &str) -> Message {
    if has_own_words(action) {
        return Message::verbatim(code.to_owned());
    }
    let mut outcomes = OUTCOMES.iter();
    let found = outcomes.find(|(of, known, _)| *of == action && *known == code);
    found.map_or_else(|| reason(code), |(_, _, id)| t(id))
}

/// Why a try to tell a webhook failed.
#[must_use]
pub fn webhook_problem(code: &str) -> Message {
    match code {
        "timeout" => t("webhook-problem-timeout"),
        "connect" => t("webhook-problem-connect"),
        "redirect" => t("webhook-problem-redirect"),
        "malformed" => t("webhook-problem-malformed"),
        "missing" => t("webhook-problem-missing"),
        "status_410" => t("webhook-problem-gone"),
        other => match other.strip_prefix("status_") {
            Some(status) => t("webhook-problem-status").with("status", status),
            None => Message::verbatim(other.to_owned()),
        },
    }
}

/// What a provider's outage was.
#[must_use]
pub const fn outage(check: Check) -> Message {
    t(match check {
        Check::Accepted => "outage-accepted",
        Check::Refused => "outage-refused",
        Check::Timeout => "outage-timeout",
        Check::Connect => "outage-connect",
        Check::Redirect => "outage-redirect",
        Check::TooLarge => "outage-too-large",
        Check::Status => "outage-status",
        Check::Malformed => "outage-malformed",
        Check::CircuitOpen => "outage-circuit-open",
        Check::Overloaded => "outage-overloaded",
    })
}

/// What a check did that was an outage, after "61 of 70 checks in the last hour".
#[must_use]
pub const fn outage_happened(check: Check) -> Message {
    t(match check {
        Check::Timeout => "outage-happened-timeout",
        Check::Connect => "outage-happened-connect",
        Check::Redirect => "outage-happened-redirect",
        Check::TooLarge => "outage-happened-too-large",
        Check::Status => "outage-happened-status",
        Check::Malformed => "outage-happened-malformed",
        Check::CircuitOpen | Check::Overloaded | Check::Accepted | Check::Refused => {
            "outage-happened-otherwise"
        }
    })
}

/// How a provider's tokens are proven to be ours.
#[must_use]
pub const fn audience(proof: AudienceProof) -> Message {
    t(match proof {
        AudienceProof::IdToken => "audience-id-token",
        AudienceProof::DebugToken => "audience-debug-token",
        AudienceProof::Tokeninfo => "audience-tokeninfo",
        AudienceProof::Introspection => "audience-introspection",
        AudienceProof::AppCheck => "audience-app-check",
        AudienceProof::Oauth1Signature => "audience-oauth1-signature",
        AudienceProof::SecretProof => "audience-secret-proof",
        AudienceProof::None => "audience-none",
    })
}

/// A kind of proof, within a sentence.
#[must_use]
pub const fn proof(kind: ProofKind) -> Message {
    t(match kind {
        ProofKind::AccessToken => "proof-access-token",
        ProofKind::TokenPair => "proof-token-pair",
        ProofKind::IdToken => "proof-id-token",
        ProofKind::Code => "proof-code",
    })
}

/// A kind of proof, to choose from.
#[must_use]
pub const fn proof_label(kind: ProofKind) -> Message {
    t(match kind {
        ProofKind::AccessToken => "proof-access-token-label",
        ProofKind::TokenPair => "proof-token-pair-label",
        ProofKind::IdToken => "proof-id-token-label",
        ProofKind::Code => "proof-code-label",
    })
}

/// A share with one digit behind the point: 0.9 %.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tenths of percents"
)]
#[must_use]
pub fn percent(share: f64) -> Message {
    let tenths = (share * 1000.0).round_ties_even() as u64;
    t("number-percent").with("share", Arg::Tenths(tenths))
}

/// A duration: 212 ms, 5.0 s.
#[must_use]
pub fn duration(ms: u64) -> Message {
    if ms < 1000 {
        return t("number-milliseconds").with("count", ms);
    }
    let tenths = (ms + 50) / 100;
    t("number-seconds").with("seconds", Arg::Tenths(tenths))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::web::admin::text::Language;

    #[test]
    fn durations_from_a_second_on_are_in_seconds() {
        assert_eq!(duration(212).to_string(), "212 ms");
        assert_eq!(duration(4_950).to_string(), "5.0 s");
        assert_eq!(duration(1_000).to_string(), "1.0 s");
        assert_eq!(duration(4_950).text(Language::German), "5,0 s");
    }

    #[test]
    fn shares_have_one_digit_behind_the_point() {
        for (share, text) in [
            (0.0, "0.0 %"),
            (0.009, "0.9 %"),
            (0.0125, "1.2 %"),
            (1.0, "100.0 %"),
        ] {
            assert_eq!(percent(share).to_string(), text);
        }
        assert_eq!(percent(0.009).text(Language::German), "0,9 %");
    }

    #[test]
    fn no_two_codes_share_their_words_and_a_sentence_stays() {
        for (language, _) in Language::ALL {
            for table in [ACTIONS, REASONS] {
                let words: BTreeSet<_> = table.iter().map(|(_, id)| t(id).text(language)).collect();
                assert_eq!(words.len(), table.len());
            }
        }
        assert_eq!(reason("Asked by mail").to_string(), "Asked by mail");
        assert_eq!(reason("timeout").to_string(), "Provider timed out");
        assert_eq!(
            reason_of("unlinked", "revoked").to_string(),
            "revoked",
            "what somebody typed is no code"
        );
        assert_eq!(reason_of("token_revoked", "revoked").to_string(), "Revoked");
        assert_eq!(
            reason_of("refused", "revoked_by_aliens").to_string(),
            "revoked_by_aliens"
        );
        assert_eq!(
            action("of_a_later_version").to_string(),
            "of a later version"
        );
        assert_eq!(webhook_problem("status_503").to_string(), "Answered 503");
        assert_eq!(
            webhook_problem("status_410").to_string(),
            "Wants no more (410)"
        );
    }

    #[test]
    fn every_action_that_is_written_has_words() {
        use crate::domain::AuditAction as A;
        for done in [
            A::SignedUp,
            A::SignedIn,
            A::Associated,
            A::Refused,
            A::SessionRefreshed,
            A::RefreshTokenReused,
            A::LinkTicketIssued,
            A::LeftoversCleared,
            A::UserViewed,
            A::Unlinked,
            A::UnlinkUndone,
            A::AssociatedInAdvance,
            A::Deactivated,
            A::ListExported,
            A::ProviderTested,
            A::StaffSignedIn,
            A::RecoveryCodeUsed,
            A::ApiClientCreated,
            A::ApiClientDeactivated,
            A::ClientTokenIssued,
            A::ClientTokenRefused,
        ] {
            assert!(find(ACTIONS, done.as_str()).is_some(), "{done:?}");
        }
    }
}
