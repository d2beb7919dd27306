//! Switches that an operator sets: who may sign up, and what a known e-mail address means.

use serde::Deserialize;

/// What happens when a new identity brings a verified address that a user already has verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailMatch {
    /// Nothing: addresses identify nobody.
    #[default]
    Separate,
    /// Refuse with a one-time ticket that the existing user can redeem.
    Ask,
    /// Associate with the existing user, after clearing what was there unverified.
    Link,
}

/// Whether people without a user may get one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUps {
    /// Anyone with a proven identity that the lists admit.
    #[default]
    Open,
    /// Nobody.
    Closed,
}

/// Who may sign up: for the whole service, and again for each provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignUpRules {
    /// Open or closed.
    pub sign_ups: SignUps,
    /// Domains of e-mail addresses that may sign up; empty means all.
    pub allowed_email_domains: Vec<String>,
    /// Addresses that may sign up, beside the domains; empty means all.
    pub allowed_emails: Vec<String>,
}

/// Why a sign-up is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdmitted {
    /// Sign-ups are closed.
    Closed,
    /// A list is set, and the address is missing, unverified or not on it.
    EmailNotAllowed,
}

impl SignUpRules {
    /// Whether someone with this address may sign up.
    ///
    /// A list refuses a missing address, and an unverified one too: otherwise anybody could claim an address on the list.
    ///
    /// # Errors
    /// [`NotAdmitted`] says which rule refuses.
    pub fn admit(&self, email: Option<&str>, email_verified: bool) -> Result<(), NotAdmitted> {
        if self.sign_ups == SignUps::Closed {
            return Err(NotAdmitted::Closed);
        }
        if self.allowed_email_domains.is_empty() && self.allowed_emails.is_empty() {
            return Ok(());
        }
        let Some((email, domain)) = email
            .filter(|_| email_verified)
            .and_then(|e| Some((e, e.rsplit_once('@')?.1)))
        else {
            return Err(NotAdmitted::EmailNotAllowed);
        };
        let listed = self
            .allowed_emails
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(email))
            || self
                .allowed_email_domains
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(domain));
        if listed {
            Ok(())
        } else {
            Err(NotAdmitted::EmailNotAllowed)
        }
    }
}

/// The policy switches of the whole service.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Who may sign up.
    pub sign_up: SignUpRules,
    /// What a known, verified address means.
    pub email_match: EmailMatch,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_list_refuses_a_missing_an_unverified_and_a_foreign_address() {
        let rules = SignUpRules {
            allowed_email_domains: vec!["Example.org".into()],
            ..SignUpRules::default()
        };

        assert_eq!(rules.admit(Some("ada@example.ORG"), true), Ok(()));
        for (email, verified) in [
            (None, true),
            (Some("ada@example.org"), false),
            (Some("ada@evil.example"), true),
            (Some("ada@sub.example.org"), true),
            (Some("ada@example.org@evil.example"), true),
        ] {
            assert_eq!(
                rules.admit(email, verified),
                Err(NotAdmitted::EmailNotAllowed),
                "{email:?}"
            );
        }
    }

    #[test]
    fn without_lists_an_address_is_not_needed() {
        assert_eq!(SignUpRules::default().admit(None, false), Ok(()));
    }

    #[test]
    fn closed_means_closed_for_listed_addresses_too() {
        let rules = SignUpRules {
            sign_ups: SignUps::Closed,
            allowed_emails: vec!["ada@example.org".into()],
            ..SignUpRules::default()
        };
        assert_eq!(
            rules.admit(Some("ada@example.org"), true),
            Err(NotAdmitted::Closed)
        );
    }
}
