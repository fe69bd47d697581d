//! Passwords of console users: Argon2id, as PHC strings. (Client secrets need no slow hash: see [`super::secret`].)

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::ambient::Randomness;

/// Memory in KiB, passes and lanes: OWASP's first choice for Argon2id. Changing them needs a new [`NOBODY`].
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash of no password (its output is all zeros), with the same parameters as every real one.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(argon2::password_hash::Error);

/// Hashes a password with a fresh salt; gives the PHC string to store. Takes tens of milliseconds: not for the
/// threads that serve requests.
///
/// # Errors
/// When Argon2 refuses the password, which it does only beyond 4 GiB.
pub fn hash(password: &str, randomness: &Randomness) -> Result<String, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| HashError(error.into()))?;
    let salt = randomness.bytes::<16>();
    let hash: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(HashError)?;
    Ok(hash.to_string())
}

/// Whether `password` is the one that `stored` (a PHC string) was made from. An unreadable `stored` matches nothing,
/// and costs as much as a readable one.
#[must_use]
pub fn verify(password: &str, stored: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(stored) else { return verify_nobody(password) };
    Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok()
}

/// The work of [`verify`] for a user that does not exist, so that the time tells nothing. Always false.
#[must_use]
pub fn verify_nobody(password: &str) -> bool {
    if let Ok(parsed) = PasswordHash::new(NOBODY) {
        // black_box: the work must not be optimised away because its result is unused.
        std::hint::black_box(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_verifies_and_another_does_not() {
        let randomness = Randomness::system();
        let stored = hash("correct horse", &randomness).expect("hashes");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, hash("correct horse", &randomness).expect("hashes"), "salted");
        assert!(verify("correct horse", &stored));
        assert!(!verify("correct horsf", &stored));
        assert!(!verify("correct horse", "not a hash"));
    }

    #[test]
    fn sec_35_an_unknown_user_costs_the_same_work() {
        let nobody = PasswordHash::new(NOBODY).expect("the constant parses");
        let stored = hash("x", &Randomness::system()).expect("hashes");
        let real = PasswordHash::new(&stored).expect("parses");
        assert_eq!(nobody.params, real.params);
        assert_eq!(nobody.algorithm, real.algorithm);
        assert_eq!(nobody.hash.map(|output| output.len()), real.hash.map(|output| output.len()));
        assert!(!verify_nobody("x"));
    }
}
