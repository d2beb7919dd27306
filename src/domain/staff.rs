//! Staff: who may look at users, and who may change what belongs to them. Staff are no users; they have accounts of their own.

mod account;
mod keys;
mod password;
mod provider_sign_in;
mod second_factor;
mod throttle;

pub use account::{
    DISPLAY_NAME_MAX, DisplayName, EMAIL_MAX_BYTES, FRESH_FACTOR, NewStaff, NewStaffSession, Staff,
    StaffCredentials, StaffEmail, StaffPolicy, StaffSession,
};
pub use keys::{AuthorizationKey, AuthorizationSecrets, FormKey, StaffKeys};
pub use password::{PASSWORD_MAX_BYTES, PASSWORD_MIN, PasswordProblem, check_password};
pub use provider_sign_in::{
    Admission, NewAccountRole, NotStaff, SameEmail, SignInRule, SignInRules, verified_email,
};
pub use second_factor::{RECOVERY_CODES, RecoveryCode, TotpSecret};
pub use throttle::{Throttle, Tries};

/// What a member of staff may do. Each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May look.
    Staff,
    /// May also unlink, undo, deactivate, revoke and export.
    Admin,
    /// May also manage staff accounts and settings.
    Superuser,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Staff, Self::Admin, Self::Superuser];

    /// The name as stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Admin => "admin",
            Self::Superuser => "superuser",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_ones_before_it_may() {
        assert!(Role::ALL.is_sorted());
    }

    #[test]
    fn a_role_is_read_back_from_its_name_and_nothing_else() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("Admin"), None);
        assert_eq!(Role::parse(""), None);
    }
}
