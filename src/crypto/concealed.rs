//! Short texts that callers keep for the hub and can't read, such as the place where a list goes on.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Every text is filled up to this length, so that the concealed one does not tell how long it is.
const LENGTH: usize = 256;

/// The keys for it, derived for this use alone. The nonce is made of the text itself, so that however many are made, two
/// different texts don't share one; equal texts give equal results.
pub(super) struct Concealer {
    nonce: hmac::Key,
    seal: LessSafeKey,
}

impl Concealer {
    pub(super) fn derive(root: &hmac::Key) -> Self {
        let nonce = hmac::sign(root, b"gateway-hub concealed nonce v1");
        let seal = hmac::sign(root, b"gateway-hub concealed text v1");
        let seal = UnboundKey::new(&AES_256_GCM, seal.as_ref()).expect("HMAC-SHA-256 gives the 32 bytes of the key");
        Self { nonce: hmac::Key::new(hmac::HMAC_SHA256, nonce.as_ref()), seal: LessSafeKey::new(seal) }
    }

    /// `None` for a text that is too long.
    pub(super) fn conceal(&self, text: &str) -> Option<String> {
        let mut plain = text.as_bytes().to_vec();
        plain.resize((plain.len() <= LENGTH).then_some(LENGTH)?, 0);
        let mac = hmac::sign(&self.nonce, &plain);
        let nonce: [u8; NONCE_LEN] = mac.as_ref().first_chunk().copied()?;
        let tag =
            self.seal.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut plain).ok()?;
        Some(URL_SAFE_NO_PAD.encode([&nonce, plain.as_slice(), tag.as_ref()].concat()))
    }

    /// `None` for what this key did not conceal.
    pub(super) fn reveal(&self, concealed: &str) -> Option<String> {
        let sealed = URL_SAFE_NO_PAD.decode(concealed).ok()?;
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut text = text.to_vec();
        let opened =
            self.seal.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut text).ok()?.to_vec();
        let end = opened.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        String::from_utf8(opened[..end].to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_unaltered_or_not_at_all_and_tells_no_length() {
        let concealer = |key: &[u8]| Concealer::derive(&hmac::Key::new(hmac::HMAC_SHA256, key));
        let (own, other) = (concealer(b"own"), concealer(b"other"));
        for text in ["", "host/web-1", "\u{10FFFF}", &"x".repeat(256)] {
            let sent = own.conceal(text).expect("short enough");
            assert_eq!(own.reveal(&sent).as_deref(), Some(text));
            assert_eq!(other.reveal(&sent), None);
            assert_eq!(sent.len(), own.conceal("").expect("short enough").len());
            let altered = format!("{}{}", &sent[..20], sent[21..].to_owned() + "A");
            assert_eq!(own.reveal(&altered), None);
        }
        assert_eq!(own.conceal(&"x".repeat(257)), None);
        for text in ["", "AAAA", "!", "aG9zdC93ZWItMQ"] {
            assert_eq!(own.reveal(text), None, "{text}");
        }
    }
}
