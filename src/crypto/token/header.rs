//! The protected header of a token (RFC 7515 §4), read strictly.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::claims::{note_once, once};

/// The members that decide something. Keys that a token brings along (`jku`, `x5u`, `jwk`, `x5c`) are never read.
#[derive(Default)]
pub(super) struct Header {
    pub(super) alg: Option<String>,
    pub(super) typ: Option<String>,
    pub(super) kid: Option<String>,
    /// Whether there is a `crit`: we understand no extension, so any is refused (RFC 7515 §4.1.11).
    pub(super) crit: bool,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of header parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        let mut unknown: Vec<String> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "alg" => once(&mut header.alg, &mut map)?,
                "typ" => once(&mut header.typ, &mut map)?,
                "kid" => once(&mut header.kid, &mut map)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    header.crit |= name == "crit";
                    note_once(name, &mut unknown)?;
                }
            }
        }
        Ok(header)
    }
}
