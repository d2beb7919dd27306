//! The association rules: who signs up, signs in, is associated or refused.
//!
//! [`decide`] is the only place that knows them. It is pure, and the table at the foot of this file is its specification.

use super::{Intent, UserId};

/// Who sends the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// No bearer came along.
    Anonymous,
    /// An active user with a live session.
    User(UserId),
}

/// The user that a social account is associated with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Who it is.
    pub user_id: UserId,
    /// Whether they may sign in.
    pub is_active: bool,
}

/// What a hand-in leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Create a user and associate the social account with it.
    SignUp,
    /// Recognise this user and refresh `extra_data`.
    SignIn(UserId),
    /// Associate the social account with this user.
    Associate(UserId),
    /// It is already associated with this user: refresh `extra_data`.
    AlreadyAssociated(UserId),
    /// Change nothing.
    Refuse(Refusal),
}

/// Why a proven identity is refused all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The social account belongs to another user.
    AlreadyInUse,
    /// The social account's user is inactive. Callers must not learn this.
    Inactive,
    /// `intent` is `sign_in`, and nobody has signed up with this account.
    NotSignedUp,
    /// `intent` is `sign_up`, and somebody has.
    AlreadySignedUp,
}

/// Decides what happens when `caller` hands in a proven social account that `owner` already has, or nobody.
#[must_use]
pub fn decide(caller: Caller, intent: Intent, owner: Option<Owner>) -> Decision {
    match (caller, owner) {
        (Caller::User(me), None) => Decision::Associate(me),
        (Caller::User(me), Some(owner)) if owner.user_id == me => Decision::AlreadyAssociated(me),
        (Caller::User(_), Some(_)) => Decision::Refuse(Refusal::AlreadyInUse),
        (Caller::Anonymous, Some(owner)) if !owner.is_active => Decision::Refuse(Refusal::Inactive),
        (Caller::Anonymous, None) if intent == Intent::SignIn => {
            Decision::Refuse(Refusal::NotSignedUp)
        }
        (Caller::Anonymous, None) => Decision::SignUp,
        (Caller::Anonymous, Some(_)) if intent == Intent::SignUp => {
            Decision::Refuse(Refusal::AlreadySignedUp)
        }
        (Caller::Anonymous, Some(owner)) => Decision::SignIn(owner.user_id),
    }
}

#[cfg(test)]
mod tests {
    use super::Decision::{AlreadyAssociated, Associate, Refuse, SignIn, SignUp};
    use super::*;

    const A: UserId = UserId(1);
    const B: UserId = UserId(2);

    const ACTIVE_A: Option<Owner> = Some(Owner {
        user_id: A,
        is_active: true,
    });
    const ACTIVE_B: Option<Owner> = Some(Owner {
        user_id: B,
        is_active: true,
    });
    const INACTIVE_A: Option<Owner> = Some(Owner {
        user_id: A,
        is_active: false,
    });
    const INACTIVE_B: Option<Owner> = Some(Owner {
        user_id: B,
        is_active: false,
    });

    /// Every row of the contract's second section, for every intent that the row admits.
    #[test]
    fn every_row_of_the_table_decides_as_promised() {
        use Intent::{Associate as ToAssociate, Auto, SignIn as ToSignIn, SignUp as ToSignUp};
        let table = [
            (Caller::Anonymous, Auto, None, SignUp),
            (Caller::Anonymous, ToSignUp, None, SignUp),
            (
                Caller::Anonymous,
                ToSignIn,
                None,
                Refuse(Refusal::NotSignedUp),
            ),
            (Caller::Anonymous, Auto, ACTIVE_A, SignIn(A)),
            (Caller::Anonymous, ToSignIn, ACTIVE_A, SignIn(A)),
            (
                Caller::Anonymous,
                ToSignUp,
                ACTIVE_A,
                Refuse(Refusal::AlreadySignedUp),
            ),
            (
                Caller::Anonymous,
                Auto,
                INACTIVE_A,
                Refuse(Refusal::Inactive),
            ),
            (
                Caller::Anonymous,
                ToSignIn,
                INACTIVE_A,
                Refuse(Refusal::Inactive),
            ),
            (
                Caller::Anonymous,
                ToSignUp,
                INACTIVE_A,
                Refuse(Refusal::Inactive),
            ),
            (Caller::User(A), Auto, None, Associate(A)),
            (Caller::User(A), ToAssociate, None, Associate(A)),
            (Caller::User(A), Auto, ACTIVE_A, AlreadyAssociated(A)),
            (Caller::User(A), ToAssociate, ACTIVE_A, AlreadyAssociated(A)),
            (
                Caller::User(A),
                Auto,
                ACTIVE_B,
                Refuse(Refusal::AlreadyInUse),
            ),
            (
                Caller::User(A),
                ToAssociate,
                ACTIVE_B,
                Refuse(Refusal::AlreadyInUse),
            ),
            (
                Caller::User(A),
                Auto,
                INACTIVE_B,
                Refuse(Refusal::AlreadyInUse),
            ),
        ];
        for (caller, intent, owner, expected) in table {
            assert_eq!(
                decide(caller, intent, owner),
                expected,
                "{caller:?} {intent:?} {owner:?}"
            );
        }
    }

    #[test]
    fn an_anonymous_caller_is_treated_alike_whoever_the_owner_is() {
        for intent in [Intent::Auto, Intent::SignIn, Intent::SignUp] {
            for (a, b) in [(ACTIVE_A, ACTIVE_B), (INACTIVE_A, INACTIVE_B)] {
                match (
                    decide(Caller::Anonymous, intent, a),
                    decide(Caller::Anonymous, intent, b),
                ) {
                    (SignIn(of_a), SignIn(of_b)) => assert_eq!((of_a, of_b), (A, B)),
                    (of_a, of_b) => assert_eq!(of_a, of_b, "{intent:?}"),
                }
            }
        }
    }

    #[test]
    fn no_decision_ever_names_a_user_other_than_the_caller_or_the_owner() {
        for caller in [Caller::Anonymous, Caller::User(A)] {
            for owner in [None, ACTIVE_A, ACTIVE_B, INACTIVE_A, INACTIVE_B] {
                for intent in [
                    Intent::Auto,
                    Intent::SignIn,
                    Intent::SignUp,
                    Intent::Associate,
                ] {
                    match decide(caller, intent, owner) {
                        SignIn(user) => {
                            assert_eq!(
                                (caller, owner),
                                (
                                    Caller::Anonymous,
                                    Some(Owner {
                                        user_id: user,
                                        is_active: true
                                    })
                                )
                            );
                        }
                        Associate(user) | AlreadyAssociated(user) => {
                            assert_eq!(caller, Caller::User(user));
                        }
                        SignUp => assert_eq!((caller, owner), (Caller::Anonymous, None)),
                        Refuse(_) => {}
                    }
                }
            }
        }
    }
}
