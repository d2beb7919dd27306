//! What makes a password good enough for staff.

/// Fewest characters.
pub const PASSWORD_MIN: usize = 12;
/// Most bytes that are hashed.
pub const PASSWORD_MAX_BYTES: usize = 1024;
/// Fewest different characters.
const DIFFERENT_MIN: usize = 5;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordProblem {
    /// Fewer than [`PASSWORD_MIN`] characters.
    TooShort,
    /// More than [`PASSWORD_MAX_BYTES`] bytes.
    TooLong,
    /// It is the address, the name or the product, more or less.
    Guessable,
}

impl PasswordProblem {
    /// The sentence for the form.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::TooShort => "Use at least 12 characters.",
            Self::TooLong => "Use at most 1024 bytes.",
            Self::Guessable => {
                "That is too easy to guess: use more different characters, and neither the address nor the name."
            }
        }
    }
}

/// Whether `password` may be set by whoever has this address and name.
///
/// Length counts, composition does not (NIST SP 800-63B §3.1.1.2).
///
/// # Errors
/// What is wrong with it.
pub fn check_password(
    password: &str,
    email: &str,
    display_name: &str,
) -> Result<(), PasswordProblem> {
    if password.chars().count() < PASSWORD_MIN {
        return Err(PasswordProblem::TooShort);
    }
    if password.len() > PASSWORD_MAX_BYTES {
        return Err(PasswordProblem::TooLong);
    }
    let mut different: Vec<char> = password.chars().collect();
    different.sort_unstable();
    different.dedup();
    let folded = password.to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    let is_named = [local, display_name, "latchkey"].iter().any(|word| {
        // What is left of the password without the word must stand on its own.
        let word = word.to_lowercase();
        !word.is_empty()
            && folded.contains(&word)
            && folded.replace(&word, "").chars().count() < PASSWORD_MIN / 2
    });
    if different.len() < DIFFERENT_MIN || is_named {
        return Err(PasswordProblem::Guessable);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_and_the_own_name_does_not() {
        let check = |password: &str| check_password(password, "jo.meyer@example.org", "Jo Meyer");

        assert_eq!(check("correct horse battery"), Ok(()));
        assert_eq!(check("jo.meyer likes correct horses"), Ok(()));
        assert_eq!(check("short"), Err(PasswordProblem::TooShort));
        assert_eq!(check(&"ab".repeat(600)), Err(PasswordProblem::TooLong));
        for bad in [
            "aaaaaaaaaaaaaa",
            "Jo.Meyer2026!",
            "latchkeylatchkey",
            "Jo Meyer 123",
        ] {
            assert_eq!(check(bad), Err(PasswordProblem::Guessable), "{bad}");
        }
    }
}
