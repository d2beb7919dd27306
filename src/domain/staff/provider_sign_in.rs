//! Who may sign in to the staff pages through a provider, and as whom.

use std::collections::BTreeMap;

use super::{DISPLAY_NAME_MAX, DisplayName, NewStaff, Role, Staff, StaffEmail};
use crate::domain::{ProviderId, SocialIdentity, StaffId, Uid};

/// The role of people who had no account before they came through a provider. Superusers are made by superusers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewAccountRole {
    /// May look.
    Staff,
    /// May also change.
    Admin,
}

impl NewAccountRole {
    /// The role of this name, unless it is none, or one that nobody gets this way.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match Role::parse(name)? {
            Role::Staff => Some(Self::Staff),
            Role::Admin => Some(Self::Admin),
            Role::Superuser => None,
        }
    }

    /// The role.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Staff => Role::Staff,
            Self::Admin => Role::Admin,
        }
    }
}

/// Who may sign in through one provider. Either list admits.
#[derive(Debug, Clone)]
pub struct SignInRule {
    /// Which of our client ids at the provider the browser is sent with.
    pub client_id: String,
    /// Domains of verified addresses.
    pub allowed_domains: Vec<String>,
    /// The provider's ids of single people.
    pub allowed_uids: Vec<Uid>,
    /// What people get who are admitted and have no account; `None` keeps them out.
    pub new_account_role: Option<NewAccountRole>,
}

/// The rules by provider. Empty: passwords alone lead in.
#[derive(Debug, Clone, Default)]
pub struct SignInRules(BTreeMap<ProviderId, SignInRule>);

impl SignInRules {
    /// The rule of this provider, if staff may come through it at all.
    #[must_use]
    pub fn find(&self, provider: &str) -> Option<(&ProviderId, &SignInRule)> {
        self.0.get_key_value(&ProviderId::parse(provider)?)
    }

    /// The providers, in the order of their ids.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderId> {
        self.0.keys()
    }
}

impl FromIterator<(ProviderId, SignInRule)> for SignInRules {
    fn from_iter<T: IntoIterator<Item = (ProviderId, SignInRule)>>(rules: T) -> Self {
        Self(rules.into_iter().collect())
    }
}

/// Why somebody who came through a provider does not get in. Nobody but the audit log is told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotStaff {
    /// The address is not of a domain that may.
    WrongDomain,
    /// There is no address, or the provider does not say that it verified it.
    UnverifiedEmail,
    /// Only single people may, and this is none of them; or the address has other than ASCII letters.
    NotAllowed,
    /// There is no account, and nobody gets one this way.
    NoAccount,
    /// The account signs in as somebody else at this provider.
    OtherUid,
    /// The account is inactive.
    Inactive,
}

impl NotStaff {
    /// The code in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongDomain => "wrong_domain",
            Self::UnverifiedEmail => "unverified_email",
            Self::NotAllowed => "not_allowed",
            Self::NoAccount => "no_account",
            Self::OtherUid => "other_uid",
            Self::Inactive => "inactive",
        }
    }
}

/// As whom somebody gets in.
#[derive(Debug, Clone)]
pub enum Admission {
    /// As this account, which has signed in with them before.
    Known(StaffId),
    /// As this account, which from now on signs in with them and nobody else at this provider.
    Bind(StaffId),
    /// As an account about to be made, and bound likewise.
    New(NewStaff),
}

/// An account with the address that the provider has verified.
#[derive(Debug, Clone, Copy)]
pub struct SameEmail<'a> {
    /// The account.
    pub staff: &'a Staff,
    /// Whether it signs in as somebody at this provider already.
    pub is_bound: bool,
}

impl SignInRule {
    /// Whether somebody is on the lists. They are asked at each sign-in: whoever is taken off them is kept out, bound or not.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, identity: &SocialIdentity) -> Result<(), NotStaff> {
        if self.allowed_uids.contains(&identity.uid) {
            return Ok(());
        }
        if self.allowed_domains.is_empty() {
            return Err(NotStaff::NotAllowed);
        }
        let email = verified_email(identity)?;
        let domain = email.rsplit_once('@').map(|(_, domain)| domain);
        let is_allowed = domain.is_some_and(|domain| {
            self.allowed_domains
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(domain))
        });
        if is_allowed {
            Ok(())
        } else {
            Err(NotStaff::WrongDomain)
        }
    }

    /// As whom somebody gets in. `bound` is the account that signs in with this very uid; without one, `same_email` is that with
    /// the [verified address](verified_email).
    ///
    /// # Errors
    /// Why they do not.
    pub fn decide(
        &self,
        identity: &SocialIdentity,
        bound: Option<&Staff>,
        same_email: Option<SameEmail<'_>>,
    ) -> Result<Admission, NotStaff> {
        self.admit(identity)?;
        match (bound, same_email) {
            (Some(staff), _) if staff.is_active => Ok(Admission::Known(staff.id)),
            (Some(_), _) => Err(NotStaff::Inactive),
            (None, Some(SameEmail { staff, .. })) if !staff.is_active => Err(NotStaff::Inactive),
            (None, Some(SameEmail { is_bound: true, .. })) => Err(NotStaff::OtherUid),
            (None, Some(SameEmail { staff, .. })) => {
                verified_email(identity)?;
                Ok(Admission::Bind(staff.id))
            }
            (None, None) => {
                let email = verified_email(identity)?;
                let role = self.new_account_role.ok_or(NotStaff::NoAccount)?;
                Ok(Admission::New(NewStaff {
                    email: StaffEmail::parse(email).ok_or(NotStaff::NotAllowed)?,
                    display_name: display_name(identity, email).ok_or(NotStaff::NotAllowed)?,
                    role: role.role(),
                }))
            }
        }
    }
}

/// The address by which an account may be found.
///
/// Other than ASCII letters are refused: addresses are compared without regard to case, and some letters of other scripts fold into
/// ASCII ones, such as the Kelvin sign into `k`.
///
/// # Errors
/// [`NotStaff::UnverifiedEmail`], [`NotStaff::NotAllowed`].
pub fn verified_email(identity: &SocialIdentity) -> Result<&str, NotStaff> {
    let email = identity.email.as_deref();
    let email = email.filter(|_| identity.email_verified);
    let email = email.ok_or(NotStaff::UnverifiedEmail)?;
    if email.is_ascii() {
        Ok(email)
    } else {
        Err(NotStaff::NotAllowed)
    }
}

/// The name that the provider tells, else the handle, else what stands before the address's `@`.
fn display_name(identity: &SocialIdentity, email: &str) -> Option<DisplayName> {
    let full_name = format!("{} {}", identity.first_name, identity.last_name);
    let local_part = email.rsplit_once('@').map(|(local, _)| local);
    let candidates = [
        Some(full_name.as_str()),
        identity.username.as_deref(),
        local_part,
    ];
    candidates.into_iter().flatten().find_map(|name| {
        let short: String = name.trim().chars().take(DISPLAY_NAME_MAX).collect();
        DisplayName::parse(&short)
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::identity::RawIdentity;

    fn uid(text: &str) -> Uid {
        Uid::parse(text).unwrap()
    }

    fn identity(sub: &str, email: &str, email_verified: bool) -> SocialIdentity {
        let raw = RawIdentity {
            email: Some(email.to_owned()),
            email_verified,
            full_name: Some("Jo Meyer".to_owned()),
            ..RawIdentity::default()
        };
        SocialIdentity::new(uid(sub), raw)
    }

    fn jo() -> SocialIdentity {
        identity("7", "jo@example.org", true)
    }

    fn rule() -> SignInRule {
        SignInRule {
            client_id: "web".to_owned(),
            allowed_domains: vec!["Example.org".to_owned()],
            allowed_uids: vec![uid("1")],
            new_account_role: None,
        }
    }

    fn account(id: i64, is_active: bool) -> Staff {
        Staff {
            id: StaffId(id),
            email: "jo@example.org".to_owned(),
            display_name: "Jo".to_owned(),
            role: Role::Superuser,
            has_password: true,
            has_second_factor: false,
            must_have_second_factor: false,
            is_active,
            created_at: DateTime::UNIX_EPOCH,
            last_sign_in_at: None,
        }
    }

    #[test]
    fn the_lists_admit_by_verified_domain_or_by_uid_and_nobody_else() {
        for (sub, email, verified, expected) in [
            ("7", "jo@example.org", true, Ok(())),
            ("7", "jo@EXAMPLE.ORG", true, Ok(())),
            ("1", "jo@elsewhere.example", false, Ok(())),
            ("7", "jo@example.org", false, Err(NotStaff::UnverifiedEmail)),
            ("7", "jo@sub.example.org", true, Err(NotStaff::WrongDomain)),
            ("7", "jo@notexample.org", true, Err(NotStaff::WrongDomain)),
            ("7", "nonsense", true, Err(NotStaff::UnverifiedEmail)),
            (
                "7",
                "\u{212a}o@example.org",
                true,
                Err(NotStaff::NotAllowed),
            ),
        ] {
            let admitted = rule().admit(&identity(sub, email, verified));
            assert_eq!(admitted, expected, "{sub} {email}");
        }
        let by_uid_alone = SignInRule {
            allowed_domains: Vec::new(),
            ..rule()
        };
        assert_eq!(by_uid_alone.admit(&jo()), Err(NotStaff::NotAllowed));
    }

    #[test]
    fn an_account_is_found_by_uid_before_it_is_found_by_address() {
        let (one, two) = (account(1, true), account(2, true));
        let same = SameEmail {
            staff: &two,
            is_bound: false,
        };

        let known = rule().decide(&jo(), Some(&one), Some(same)).unwrap();
        let bind = rule().decide(&jo(), None, Some(same)).unwrap();

        assert!(matches!(known, Admission::Known(StaffId(1))), "{known:?}");
        assert!(matches!(bind, Admission::Bind(StaffId(2))), "{bind:?}");
    }

    #[test]
    fn inactive_accounts_and_those_of_another_uid_are_refused() {
        let (active, inactive) = (account(1, true), account(2, false));
        let same = |staff, is_bound| Some(SameEmail { staff, is_bound });
        let decide = |who: &SocialIdentity, bound, same| rule().decide(who, bound, same).err();

        for (refused, expected) in [
            (
                decide(&jo(), Some(&inactive), None),
                Some(NotStaff::Inactive),
            ),
            (
                decide(&jo(), None, same(&inactive, false)),
                Some(NotStaff::Inactive),
            ),
            (
                decide(&jo(), None, same(&active, true)),
                Some(NotStaff::OtherUid),
            ),
            (decide(&jo(), None, None), Some(NotStaff::NoAccount)),
            // On the list by uid, but with an address that anybody may claim.
            (
                decide(
                    &identity("1", "jo@example.org", false),
                    None,
                    same(&active, false),
                ),
                Some(NotStaff::UnverifiedEmail),
            ),
            // Off the lists since.
            (
                decide(
                    &identity("7", "jo@elsewhere.example", true),
                    Some(&active),
                    None,
                ),
                Some(NotStaff::WrongDomain),
            ),
        ] {
            assert_eq!(refused, expected);
        }
    }

    #[test]
    fn a_new_account_gets_the_role_that_is_set_and_never_that_of_a_superuser() {
        let rule = SignInRule {
            new_account_role: NewAccountRole::parse("admin"),
            ..rule()
        };

        let Ok(Admission::New(new)) = rule.decide(&jo(), None, None) else {
            panic!("no account is made");
        };

        assert_eq!(
            (new.role, new.email.as_str()),
            (Role::Admin, "jo@example.org")
        );
        assert_eq!(new.display_name.as_str(), "Jo Meyer");
        assert_eq!(NewAccountRole::parse("superuser"), None);
        assert_eq!(NewAccountRole::parse("staff"), Some(NewAccountRole::Staff));
    }

    #[test]
    fn whoever_tells_no_name_is_called_by_the_address() {
        let nameless = SocialIdentity {
            first_name: String::new(),
            last_name: String::new(),
            ..jo()
        };

        let name = display_name(&nameless, "jo@example.org").unwrap();

        assert_eq!(name.as_str(), "jo");
    }
}
