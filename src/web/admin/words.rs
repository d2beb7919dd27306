//! Words for codes: what was done, why it was refused, what failed. The codes are for machines, these are for people.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::domain::hand_in::ProofKind;
use crate::domain::provider_health::Check;
use crate::providers::entry::AudienceProof;

/// Actions of the audit log in words, in the order in which a filter offers them.
pub const ACTIONS: &[(&str, &str)] = &[
    ("signed_up", "Signed up"),
    ("signed_in", "Signed in"),
    ("associated", "Associated a social account"),
    ("refused", "Was refused"),
    ("session_refreshed", "Refreshed a session"),
    ("refresh_token_reused", "Used a spent refresh token"),
    ("link_ticket_issued", "Got a link ticket"),
    ("leftovers_cleared", "Cleared unverified leftovers"),
    ("user_viewed", "Looked at a user"),
    ("unlinked", "Unlinked a social account"),
    ("unlink_undone", "Undid an unlink"),
    ("token_revoked", "Revoked an access token"),
    ("association_ticket_issued", "Issued an association ticket"),
    (
        "association_ticket_redeemed",
        "Redeemed an association ticket",
    ),
    (
        "associated_in_advance",
        "Associated a social account in advance",
    ),
    ("deactivated", "Deactivated a user"),
    ("reactivated", "Reactivated a user"),
    ("session_revoked", "Ended a session"),
    ("sessions_revoked", "Ended all sessions"),
    ("token_checked", "Checked an access token"),
    ("list_exported", "Exported a list"),
    ("provider_tested", "Tested a provider"),
    ("webhook_tested", "Sent a test to a webhook"),
    ("webhook_resent", "Sent a delivery again"),
    ("staff_signed_in", "Signed in as staff"),
    ("staff_sign_in_refused", "Was refused as staff"),
    ("staff_signed_out", "Signed out as staff"),
    ("staff_stepped_up", "Proved who they are"),
    ("staff_invited", "Invited a colleague"),
    ("staff_changed", "Changed a staff account"),
    ("staff_deactivated", "Deactivated a staff account"),
    ("password_set", "Set a password"),
    ("second_factor_set", "Set up a second factor"),
    ("second_factor_removed", "Removed a second factor"),
    ("recovery_code_used", "Used a recovery code"),
    ("api_client_created", "Created an API client"),
    ("api_client_deactivated", "Deactivated an API client"),
    ("client_token_issued", "Got an access token for the API"),
    ("client_token_refused", "Was refused as an API client"),
];

/// An API client among people.
#[must_use]
pub fn api_client(title: &str) -> String {
    format!("{title} (API client)")
}

/// Codes of refusals in words.
const REASONS: &[(&str, &str)] = &[
    ("invalid_token", "Not a valid proof"),
    ("expired_token", "Expired or revoked"),
    ("wrong_audience", "Access token of another app"),
    ("unbound_token", "Not proven to be ours"),
    ("nonce_mismatch", "Nonce does not match"),
    ("nonce_spent", "Nonce was used before"),
    ("social_auth_failed", "Refused by the provider"),
    ("already_in_use", "In use by another user"),
    ("not_signed_up", "Nobody has signed up with it"),
    ("already_signed_up", "Has signed up before"),
    ("inactive_user", "User is inactive"),
    ("account_refused", "Staff refuse this account"),
    ("sign_ups_closed", "Sign-ups are closed"),
    ("email_not_allowed", "Address is not allowed"),
    ("email_in_use", "Address belongs to another user"),
    ("link_ticket_invalid", "Link ticket is not valid"),
    ("invalid_bearer", "Session had ended"),
    ("link_ticket", "By link ticket"),
    ("wrong_secret", "Secret is wrong"),
    ("inactive_client", "API client is inactive"),
    ("no_scope", "API client may do nothing by itself"),
    ("invalid_scope", "Scope was never granted"),
    ("wrong_domain", "Address of another domain"),
    ("unverified_email", "Address is not verified"),
    ("not_allowed", "Not on the list of people"),
    ("no_account", "Has no staff account"),
    ("other_uid", "Account is somebody else's there"),
    ("another_person", "Somebody else than who is signed in"),
    ("code_needed", "A code is needed"),
    ("stale_sign_in", "Was not asked to sign in anew"),
    ("session_ended", "Staff session had ended"),
    ("unknown_state", "Another browser, or used before"),
    ("expired_state", "Took longer than 10 minutes"),
    ("missing_code", "Came back without a code"),
    ("wrong_issuer", "Answer of another issuer"),
    ("refused_by_provider", "Provider gave no code"),
    ("unknown", "No such staff account"),
    ("inactive", "Staff account is inactive"),
    ("wrong_password", "Wrong password"),
    ("wrong_factor", "Wrong code or password"),
];

fn find(table: &[(&str, &'static str)], code: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, words)| *words)
}

/// What was done, in words; a code of a later version as it is.
#[must_use]
pub fn action(code: &str) -> String {
    find(ACTIONS, code).map_or_else(|| code.replace('_', " "), str::to_owned)
}

/// Why, in words; what is no code is a sentence already.
#[must_use]
pub fn reason(code: &str) -> String {
    find(REASONS, code)
        .or_else(|| Check::parse(code).map(outage))
        .unwrap_or(code)
        .to_owned()
}

/// Why a try to tell a webhook failed.
#[must_use]
pub fn webhook_problem(code: &str) -> String {
    match code {
        "timeout" => "No answer in time".to_owned(),
        "connect" => "Not reached".to_owned(),
        "redirect" => "Redirected".to_owned(),
        "malformed" => "Answer could not be used".to_owned(),
        "missing" => "Audit entry is gone".to_owned(),
        "status_410" => "Wants no more (410)".to_owned(),
        other => match other.strip_prefix("status_") {
            Some(status) => format!("Answered {status}"),
            None => other.to_owned(),
        },
    }
}

/// What a provider's outage was.
#[must_use]
pub const fn outage(check: Check) -> &'static str {
    match check {
        Check::Accepted => "Accepted",
        Check::Refused => "Refused",
        Check::Timeout => "Provider timed out",
        Check::Connect => "Provider not reached",
        Check::Redirect => "Provider redirected",
        Check::TooLarge => "Answer too large",
        Check::Status => "Provider answered with an error",
        Check::Malformed => "Answer could not be used",
        Check::CircuitOpen => "Not asked, provider was failing",
        Check::Overloaded => "Not asked, too many at once",
    }
}

/// What a check did that was an outage, after "61 of 70 checks in the last hour".
#[must_use]
pub const fn outage_happened(check: Check) -> &'static str {
    match check {
        Check::Timeout => "timed out",
        Check::Connect => "did not reach it",
        Check::Redirect => "were redirected",
        Check::TooLarge => "got too large an answer",
        Check::Status => "were answered with an error",
        Check::Malformed => "got an answer that could not be used",
        Check::CircuitOpen | Check::Overloaded | Check::Accepted | Check::Refused => "failed",
    }
}

/// How a provider's tokens are proven to be ours.
#[must_use]
pub const fn audience(proof: AudienceProof) -> &'static str {
    match proof {
        AudienceProof::IdToken => "Signed id token: its audience is one of our client ids",
        AudienceProof::DebugToken => "The provider's debug endpoint names the app of a token",
        AudienceProof::Tokeninfo => "A token information endpoint names the app of a token",
        AudienceProof::Introspection => "Introspection (RFC 7662) with our credentials",
        AudienceProof::AppCheck => "An endpoint that answers for our own app's tokens alone",
        AudienceProof::Oauth1Signature => {
            "Requests are signed with our consumer secret (OAuth 1.0a)"
        }
        AudienceProof::SecretProof => "Requests carry a proof made with our client secret",
        AudienceProof::None => "None: another app's token cannot be told from ours",
    }
}

/// A kind of proof.
#[must_use]
pub const fn proof(kind: ProofKind) -> &'static str {
    match kind {
        ProofKind::AccessToken => "access token",
        ProofKind::TokenPair => "token pair",
        ProofKind::IdToken => "id token",
        ProofKind::Code => "code",
    }
}

/// A whole number with separators: 48,213.
#[must_use]
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share with one digit behind the point: 0.9 %.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A duration: 212 ms, 5.0 s.
#[must_use]
pub fn duration(ms: u64) -> String {
    if ms < 1000 {
        return format!("{ms} ms");
    }
    let tenths = (ms + 50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// The time of day in the reader's zone; with the day, if it is another one.
#[must_use]
pub fn clock(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (at, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
    if at.date_naive() == now.date_naive() {
        at.format("%H:%M").to_string()
    } else {
        at.format("%-d %b, %H:%M").to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (48_213, "48,213"),
            (1_000_601, "1,000,601"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn durations_from_a_second_on_are_in_seconds() {
        assert_eq!(duration(212), "212 ms");
        assert_eq!(duration(4_950), "5.0 s");
        assert_eq!(duration(1_000), "1.0 s");
    }

    #[test]
    fn no_two_codes_share_their_words_and_a_sentence_stays() {
        for table in [ACTIONS, REASONS] {
            let words: BTreeSet<_> = table.iter().map(|(_, words)| words).collect();
            assert_eq!(words.len(), table.len());
        }
        assert_eq!(reason("Asked by mail"), "Asked by mail");
        assert_eq!(reason("timeout"), "Provider timed out");
        assert_eq!(action("of_a_later_version"), "of a later version");
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
