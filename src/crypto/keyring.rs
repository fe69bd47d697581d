//! The hub's own key, or several while rotating: it wraps everything secret that the database keeps.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::base62;
use super::concealed::Concealer;
use crate::ambient::Randomness;

/// The version of the wrapped text's format: `v1.KEYID.BASE64(nonce, ciphertext, tag)`.
const FORMAT: &str = "v1";

/// The wrapping keys, newest first. The newest wraps; every one unwraps.
pub struct Keyring {
    keys: Vec<WrappingKey>,
}

struct WrappingKey {
    id: String,
    seal: LessSafeKey,
    check_value: String,
    concealer: Concealer,
}

/// Why the text of `GATEWAY_HUB_KEY` or of a key file is no key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is nothing in it.
    #[error("the key is empty: give base64 of 32 random bytes, for example from `openssl rand -base64 32`")]
    Empty,
    /// One of the keys is not base64.
    #[error("key number {0} is not base64: give base64 of 32 bytes, several separated by commas, newest first")]
    NotBase64(usize),
    /// One of the keys has another length.
    #[error("key number {position} has {bytes} bytes: give base64 of exactly 32 bytes")]
    WrongLength {
        /// Which key of the list, from 1.
        position: usize,
        /// How many bytes it has.
        bytes: usize,
    },
    /// The same key stands twice in the list.
    #[error("key number {0} repeats an earlier one: list each key once, newest first")]
    Repeated(usize),
}

/// Why something wrapped could not be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// It is not in the format of this version.
    #[error("the wrapped value is damaged, or was written by a newer version")]
    Format,
    /// No key of the ring wrapped it.
    #[error("the value is wrapped with the key `{0}`, which is not among the given keys: add that key to the list")]
    UnknownKey(String),
    /// The key is right and the content is not: altered, or moved from another place.
    #[error("the wrapped value was altered, or belongs to another place")]
    Altered,
}

impl Keyring {
    /// A ring of one new random key, and the text to keep in `hub.key`.
    #[must_use]
    pub fn generate(randomness: &Randomness) -> (Self, Zeroizing<String>) {
        let key = Zeroizing::new(randomness.bytes::<32>());
        let text = Zeroizing::new(STANDARD.encode(key.as_ref()));
        (Self { keys: vec![WrappingKey::new(&key)] }, text)
    }

    /// Reads one key or several separated by commas, newest first, each base64 of 32 bytes. White space around a key
    /// is ignored.
    ///
    /// # Errors
    /// Names the key's position and what would be right, never its content.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let mut keys: Vec<WrappingKey> = Vec::new();
        if text.trim().is_empty() {
            return Err(KeyringError::Empty);
        }
        for (index, part) in text.split(',').enumerate() {
            let position = index + 1;
            let bytes = Zeroizing::new(STANDARD.decode(part.trim()).map_err(|_| KeyringError::NotBase64(position))?);
            let Ok(key) = <&[u8; 32]>::try_from(bytes.as_slice()) else {
                return Err(KeyringError::WrongLength { position, bytes: bytes.len() });
            };
            let key = WrappingKey::new(key);
            if keys.iter().any(|known| known.id == key.id) {
                return Err(KeyringError::Repeated(position));
            }
            keys.push(key);
        }
        Ok(Self { keys })
    }

    /// Encrypts with the newest key. `context` names the place (table and row), and only there can it be unwrapped.
    ///
    /// # Panics
    /// Beyond 64 GiB of plaintext, which AES-GCM can't seal.
    #[must_use]
    pub fn wrap(&self, context: &str, plaintext: &[u8], randomness: &Randomness) -> String {
        let key = &self.keys[0];
        let nonce = randomness.bytes::<NONCE_LEN>();
        // Room for the tag too: a growing buffer would leave a copy of the plaintext behind.
        let mut sealed = Zeroizing::new(Vec::with_capacity(NONCE_LEN + plaintext.len() + AES_256_GCM.tag_len()));
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let tag = key
            .seal
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context.as_bytes()),
                &mut sealed[NONCE_LEN..],
            )
            .expect("AES-GCM seals anything below 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        format!("{FORMAT}.{}.{}", key.id, STANDARD.encode(sealed.as_slice()))
    }

    /// Decrypts what [`Keyring::wrap`] gave for the same context, with whichever key of the ring wrapped it.
    ///
    /// # Errors
    /// When the format, the key, or the content or its context is not right.
    pub fn unwrap(&self, context: &str, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
        let mut parts = wrapped.split('.');
        let (Some(FORMAT), Some(id), Some(body), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(UnwrapError::Format);
        };
        let Some(key) = self.keys.iter().find(|key| key.id == id) else {
            return Err(UnwrapError::UnknownKey(id.to_owned()));
        };
        let sealed = STANDARD.decode(body).map_err(|_| UnwrapError::Format)?;
        let Some((nonce, ciphertext)) = sealed.split_first_chunk::<NONCE_LEN>() else {
            return Err(UnwrapError::Format);
        };
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let length = key
            .seal
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context.as_bytes()), &mut buffer)
            .map_err(|_| UnwrapError::Altered)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }

    /// A text of at most 256 bytes in a form that its holder can't read or make: all are of one length, and equal texts
    /// look equal. For what callers keep between requests, never for a secret. `None` for a longer text.
    #[must_use]
    pub fn conceal(&self, text: &str) -> Option<String> {
        self.keys[0].concealer.conceal(text)
    }

    /// The text that [`Keyring::conceal`] concealed, with whichever key of the ring; `None` for anything else.
    #[must_use]
    pub fn reveal(&self, concealed: &str) -> Option<String> {
        self.keys.iter().find_map(|key| key.concealer.reveal(concealed))
    }

    /// Whether [`Keyring::wrap`] would use another key than the one that made `wrapped`, after a rotation.
    #[must_use]
    pub fn should_rewrap(&self, wrapped: &str) -> bool {
        wrapped.split('.').nth(1) != Some(self.keys[0].id.as_str())
    }

    /// The text that a database stores to recognise its key, and that tells nothing about it. Of the newest key.
    #[must_use]
    pub fn check_value(&self) -> &str {
        &self.keys[0].check_value
    }

    /// Whether `stored` is the check value of any key of the ring.
    #[must_use]
    pub fn matches_check_value(&self, stored: &str) -> bool {
        self.keys.iter().any(|key| key.check_value.as_bytes().ct_eq(stored.as_bytes()).into())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

impl WrappingKey {
    /// Derives a key for each use, so that no key serves two algorithms.
    fn new(key: &[u8; 32]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, key);
        let seal = hmac::sign(&root, b"gateway-hub wrap v1");
        let check = hmac::sign(&root, b"gateway-hub check v1");
        let id = hmac::sign(&root, b"gateway-hub key-id v1");
        let seal = UnboundKey::new(&AES_256_GCM, seal.as_ref()).expect("HMAC-SHA-256 gives the 32 bytes of the key");
        let id = base62::encode::<11>(&id.as_ref()[..8]);
        let concealer = Concealer::derive(&root);
        Self { id, seal: LessSafeKey::new(seal), check_value: STANDARD.encode(check), concealer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn two_rings() -> (String, String) {
        let randomness = Randomness::system();
        (Keyring::generate(&randomness).1.to_string(), Keyring::generate(&randomness).1.to_string())
    }

    #[test]
    fn a_rotated_ring_reads_both_and_wraps_with_the_newest() {
        let randomness = Randomness::system();
        let (old, new) = two_rings();
        let old_ring = Keyring::parse(&old).expect("parses");
        let both = Keyring::parse(&format!("{new}, {old}\n")).expect("parses");
        let wrapped = old_ring.wrap("pepper/1", b"secret", &randomness);
        assert_eq!(both.unwrap("pepper/1", &wrapped).expect("unwraps").as_slice(), b"secret");
        assert!(both.should_rewrap(&wrapped));
        let again = both.wrap("pepper/1", b"secret", &randomness);
        assert!(!both.should_rewrap(&again));
        assert!(matches!(old_ring.unwrap("pepper/1", &again), Err(UnwrapError::UnknownKey(_))));
        assert!(both.matches_check_value(old_ring.check_value()));
        assert!(!old_ring.matches_check_value(both.check_value()));
    }

    #[test]
    fn sec_10_a_wrapped_value_opens_only_unaltered_and_in_its_place() {
        let randomness = Randomness::system();
        let (ring, _) = Keyring::generate(&randomness);
        let wrapped = ring.wrap("signing_key/1", b"private", &randomness);
        assert!(!wrapped.contains("private"));
        assert_ne!(wrapped, ring.wrap("signing_key/1", b"private", &randomness), "fresh nonce");
        assert_eq!(ring.unwrap("signing_key/2", &wrapped), Err(UnwrapError::Altered));
        let mut altered = wrapped.clone().into_bytes();
        let middle = wrapped.len() - 10;
        altered[middle] = if altered[middle] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).expect("ASCII");
        assert_eq!(ring.unwrap("signing_key/1", &altered), Err(UnwrapError::Altered));
        for broken in ["", "v1", "v1..", "v2.a.b", "v1.a.b.c"] {
            assert!(ring.unwrap("x", broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_bad_key_says_what_would_be_right() {
        let (key, _) = two_rings();
        assert_eq!(Keyring::parse(" \n").expect_err("empty"), KeyringError::Empty);
        assert_eq!(Keyring::parse("hunter2!").expect_err("text"), KeyringError::NotBase64(1));
        assert_eq!(
            Keyring::parse(&format!("{key},QUJD")).expect_err("short"),
            KeyringError::WrongLength { position: 2, bytes: 3 }
        );
        assert_eq!(Keyring::parse(&format!("{key},{key}")).expect_err("twice"), KeyringError::Repeated(2));
    }

    proptest! {
        #[test]
        fn what_is_wrapped_comes_back(plaintext in any::<Vec<u8>>(), context in any::<String>()) {
            let randomness = Randomness::system();
            let (ring, _) = Keyring::generate(&randomness);
            let wrapped = ring.wrap(&context, &plaintext, &randomness);
            let unwrapped = ring.unwrap(&context, &wrapped).expect("unwraps");
            prop_assert_eq!(unwrapped.as_slice(), plaintext.as_slice());
        }

        #[test]
        fn no_text_panics(text in any::<String>(), body in any::<String>()) {
            let (ring, _) = Keyring::generate(&Randomness::system());
            let _ = Keyring::parse(&text);
            let _ = ring.unwrap(&text, &body);
            let _ = ring.unwrap("x", &format!("v1.{}.{body}", ring.keys[0].id));
        }
    }
}
