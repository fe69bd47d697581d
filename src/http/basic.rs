//! HTTP Basic as clients of OAuth send it: id and secret are form-encoded before (RFC 6749 §2.3.1, RFC 7617).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::app::client_auth::Credentials;
use crate::app::throttle::Method;

/// Why a header holds no Basic credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasicFault {
    /// It is of another scheme.
    Scheme,
    /// What follows is not base64 of an id, a colon and a secret.
    Unreadable,
}

/// Reads `Basic BASE64(id:secret)`.
///
/// # Errors
/// [`BasicFault`].
pub fn parse(header: &[u8]) -> Result<Credentials, BasicFault> {
    let Some((name, encoded)) = header.split_first_chunk::<6>() else { return Err(BasicFault::Scheme) };
    if !name.eq_ignore_ascii_case(b"basic ") {
        return Err(BasicFault::Scheme);
    }
    let decoded = STANDARD_PAD_INDIFFERENT.decode(encoded.trim_ascii()).map(Zeroizing::new);
    let parts = decoded.as_ref().ok().and_then(|bytes| std::str::from_utf8(bytes).ok()?.split_once(':'));
    let Some((id, secret)) = parts else { return Err(BasicFault::Unreadable) };
    let (Some(id), Some(secret)) = (decode(id), decode(secret)) else { return Err(BasicFault::Unreadable) };
    Ok(Credentials { client_id: id.into_owned(), secret: Zeroizing::new(secret.into_owned()), method: Method::Basic })
}

/// Decodes one name or value of a form; `None` for a broken `%` sequence or what is not UTF-8.
#[must_use]
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let broken = text.as_bytes().iter().enumerate().any(|(at, byte)| {
        *byte == b'%' && !text.as_bytes().get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    });
    if broken {
        return None;
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(Cow::Owned(decoded.into_owned()))
}
