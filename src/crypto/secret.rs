//! Client secrets: their text, their checksum, and the keyed hash that is all the hub keeps of them.

use std::fmt;

use aws_lc_rs::hmac;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use super::base62;
use crate::ambient::Randomness;

/// What every client secret starts with, so that scanners recognise a leaked one.
pub const SECRET_PREFIX: &str = "ghs_";
/// What every client id starts with.
pub const CLIENT_ID_PREFIX: &str = "gh_";
const RANDOM_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;
/// The length of a client secret in bytes.
pub const SECRET_LENGTH: usize = SECRET_PREFIX.len() + RANDOM_DIGITS + CHECKSUM_DIGITS;

/// A client secret in the clear: exists only between its making and the one time it is shown.
///
/// Its memory is overwritten when it is dropped, and `Debug` does not print it.
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    /// A new secret: `ghs_`, 256 random bits as 43 base62 digits, and the CRC-32 of those digits as 6 more.
    #[must_use]
    pub fn generate(randomness: &Randomness) -> Self {
        let bits = Zeroizing::new(randomness.bytes::<32>());
        // The final size from the start: a growing string would leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity(SECRET_LENGTH));
        text.push_str(SECRET_PREFIX);
        base62::push::<RANDOM_DIGITS>(bits.as_ref(), &mut text);
        let checksum = crc32(&text.as_bytes()[SECRET_PREFIX.len()..]);
        base62::push::<CHECKSUM_DIGITS>(&checksum.to_be_bytes(), &mut text);
        Self(text)
    }

    /// The secret's text, for the answer that shows it once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(redacted)")
    }
}

/// What the text of an offered secret tells, without knowing any real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretShape {
    /// Right prefix, length, alphabet and checksum.
    WellFormed,
    /// Starts as our secrets do, but is cut short, too long, or has a wrong character: a copying mistake.
    Mistyped,
    /// Not a secret of ours at all.
    Foreign,
}

impl SecretShape {
    /// Classifies an offered secret. The answer depends on the text alone.
    #[must_use]
    pub fn of(offered: &str) -> Self {
        let Some(digits) = offered.strip_prefix(SECRET_PREFIX) else { return Self::Foreign };
        if digits.len() != RANDOM_DIGITS + CHECKSUM_DIGITS || !base62::is_base62(digits) {
            return Self::Mistyped;
        }
        let (random, checksum) = digits.split_at(RANDOM_DIGITS);
        let mut expected = base62::encode::<CHECKSUM_DIGITS>(&crc32(random.as_bytes()).to_be_bytes());
        let right = expected == checksum;
        expected.zeroize();
        if right { Self::WellFormed } else { Self::Mistyped }
    }
}

/// A new client id: `gh_` and 128 random bits as 22 base62 digits. Public, unlike the secret.
#[must_use]
pub fn client_id(randomness: &Randomness) -> String {
    let mut text = String::with_capacity(CLIENT_ID_PREFIX.len() + 22);
    text.push_str(CLIENT_ID_PREFIX);
    base62::push::<22>(&randomness.bytes::<16>(), &mut text);
    text
}

/// The key of the secret hashes. Each hash is stored with the id of its pepper; the pepper itself is stored wrapped.
#[derive(Clone)]
pub struct Pepper {
    id: String,
    key: hmac::Key,
}

impl Pepper {
    /// A new random pepper, and its key bytes for the store to keep wrapped.
    #[must_use]
    pub fn generate(randomness: &Randomness) -> (Self, Zeroizing<[u8; 32]>) {
        let key = Zeroizing::new(randomness.bytes::<32>());
        let id = base62::encode::<11>(&randomness.bytes::<8>());
        (Self::new(id, &key), key)
    }

    /// The pepper of the given id and key.
    #[must_use]
    pub fn new(id: String, key: &[u8; 32]) -> Self {
        Self { id, key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// The id under which hashes name this pepper.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The keyed hash of a secret: HMAC-SHA-256, because a slow password hash adds nothing to 256 random bits.
    #[must_use]
    pub fn hash(&self, secret: &str) -> SecretHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(hmac::sign(&self.key, secret.as_bytes()).as_ref());
        SecretHash(hash)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The keyed hash of a client secret. It deliberately has no `==`: compare with [`SecretHash::matches`].
#[derive(Clone, Copy)]
pub struct SecretHash(pub [u8; 32]);

impl SecretHash {
    /// A hash that no secret has in practice, to compare against where there is no real one.
    pub const NOBODY: Self = Self([0; 32]);

    /// Whether both are the hash of the same secret, in a time that does not depend on the answer.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.compare(other).into()
    }

    /// [`SecretHash::matches`] as a value to combine further without branching.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(redacted)")
    }
}

/// CRC-32 as in Ethernet and zip, bit by bit: it catches typing errors and is no protection against anybody.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn crc32_known_answer() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn sec_09_a_secret_has_prefix_256_bits_and_checksum() {
        let randomness = Randomness::system();
        let secret = ClientSecret::generate(&randomness);
        assert_eq!(secret.expose().len(), SECRET_LENGTH);
        assert!(secret.expose().starts_with("ghs_"));
        assert_eq!(SecretShape::of(secret.expose()), SecretShape::WellFormed);
        assert_ne!(secret.expose(), ClientSecret::generate(&randomness).expose());
        assert!(!format!("{secret:?}").contains(&secret.expose()[4..]));
        let id = client_id(&randomness);
        assert_eq!(id.len(), 25);
        assert!(id.starts_with("gh_"));
    }

    #[test]
    fn a_copying_mistake_is_told_from_a_foreign_text() {
        let secret = ClientSecret::generate(&Randomness::system());
        let text = secret.expose();
        assert_eq!(SecretShape::of(&text[..text.len() - 1]), SecretShape::Mistyped);
        assert_eq!(SecretShape::of(&format!("{text}a")), SecretShape::Mistyped);
        assert_eq!(SecretShape::of("ghs_"), SecretShape::Mistyped);
        assert_eq!(SecretShape::of(&format!("ghs_{}", "ä".repeat(24))), SecretShape::Mistyped);
        assert_eq!(SecretShape::of(""), SecretShape::Foreign);
        assert_eq!(SecretShape::of("hunter2"), SecretShape::Foreign);
    }

    #[test]
    fn a_hash_matches_only_its_secret_and_pepper() {
        let randomness = Randomness::system();
        let (pepper, key) = Pepper::generate(&randomness);
        let (other, _) = Pepper::generate(&randomness);
        let again = Pepper::new(pepper.id().to_owned(), &key);
        let hash = pepper.hash("ghs_a");
        assert!(hash.matches(&again.hash("ghs_a")));
        assert!(!hash.matches(&pepper.hash("ghs_b")));
        assert!(!hash.matches(&other.hash("ghs_a")));
        assert!(!hash.matches(&SecretHash::NOBODY));
    }

    #[test]
    fn the_hash_is_hmac_sha256() {
        // RFC 4231 test case 2 uses a shorter key; HMAC pads with zeros, so the padded key gives the same answer.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let hash = Pepper::new("p".to_owned(), &key).hash("what do ya want for nothing?");
        assert_eq!(hash.0[..8], [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e]);
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_always_noticed(at in 0_usize..49, with in "[0-9A-Za-z]") {
            let secret = ClientSecret::generate(&Randomness::system());
            let mut text = secret.expose().to_owned();
            let range = 4 + at..5 + at;
            prop_assume!(text[range.clone()] != with);
            text.replace_range(range, &with);
            prop_assert_eq!(SecretShape::of(&text), SecretShape::Mistyped);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = SecretShape::of(&text);
            let _ = SecretShape::of(&format!("ghs_{text}"));
        }
    }
}
