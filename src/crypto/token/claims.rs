//! The claims of an access token (RFC 9068 §2.2), with the two of our own: `cred` and `seq`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::verify::TokenFault;

/// What an access token says. Times are seconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The hub's public URL.
    pub iss: String,
    /// The application; written as `sub` and as `client_id`.
    pub client_id: String,
    /// Where the token is good: the hub, or one gateway. One value is written as a string, several as an array.
    pub aud: Vec<String>,
    /// Issued at.
    pub iat: i64,
    /// Not good at or after this second.
    pub exp: i64,
    /// The token's own id, for revocation.
    pub jti: String,
    /// The granted scopes, separated by spaces.
    pub scope: String,
    /// The names of the application's roles at issue, for other services to read. Decides nothing here.
    pub roles: Vec<String>,
    /// The id of the secret that the token was issued for.
    pub cred: String,
    /// The sequence of the snapshot that the token was issued from.
    pub seq: u64,
}

impl Claims {
    /// Whether the token names `audience` as a place where it is good.
    #[must_use]
    pub fn is_for(&self, audience: &str) -> bool {
        self.aud.iter().any(|one| one == audience)
    }

    /// Appends the claims as one JSON object. Written by hand: this is the hot path of the token endpoint.
    pub(super) fn write_json(&self, json: &mut String) {
        json.push_str(r#"{"iss":"#);
        push_text(&self.iss, json);
        json.push_str(r#","sub":"#);
        push_text(&self.client_id, json);
        json.push_str(r#","client_id":"#);
        push_text(&self.client_id, json);
        json.push_str(r#","aud":"#);
        if let [audience] = self.aud.as_slice() {
            push_text(audience, json);
        } else {
            push_texts(&self.aud, json);
        }
        json.push_str(r#","iat":"#);
        json.push_str(&self.iat.to_string());
        json.push_str(r#","exp":"#);
        json.push_str(&self.exp.to_string());
        json.push_str(r#","jti":"#);
        push_text(&self.jti, json);
        json.push_str(r#","scope":"#);
        push_text(&self.scope, json);
        json.push_str(r#","roles":"#);
        push_texts(&self.roles, json);
        json.push_str(r#","cred":"#);
        push_text(&self.cred, json);
        json.push_str(r#","seq":"#);
        json.push_str(&self.seq.to_string());
        json.push('}');
    }

    /// About how long the JSON gets, so that its buffer is allocated once.
    pub(super) fn size_hint(&self) -> usize {
        let lists = self.aud.iter().chain(&self.roles).map(|text| text.len() + 3).sum::<usize>();
        180 + self.iss.len() + 2 * self.client_id.len() + self.jti.len() + self.scope.len() + self.cred.len() + lists
    }

    /// Reads the claims of a token whose signature holds. Every claim must be there once and of its type; claims that
    /// we do not know are ignored, but not twice.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, TokenFault> {
        let raw: RawClaims = serde_json::from_slice(json).map_err(|_| TokenFault::MalformedClaims)?;
        let client_id = required(raw.client_id, "client_id")?;
        if required(raw.sub, "sub")? != client_id {
            return Err(TokenFault::Subject);
        }
        Ok(Self {
            iss: required(raw.iss, "iss")?,
            client_id,
            aud: required(raw.aud, "aud")?.0,
            iat: required(raw.iat, "iat")?,
            exp: required(raw.exp, "exp")?,
            jti: required(raw.jti, "jti")?,
            scope: required(raw.scope, "scope")?,
            roles: required(raw.roles, "roles")?,
            cred: required(raw.cred, "cred")?,
            seq: required(raw.seq, "seq")?,
        })
    }
}

fn required<T>(claim: Option<T>, name: &'static str) -> Result<T, TokenFault> {
    claim.ok_or(TokenFault::MissingClaim(name))
}

/// Appends a JSON string, escaped as RFC 8259 §7 requires.
fn push_text(text: &str, json: &mut String) {
    json.push('"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        json.push_str(&text[start..at]); // an ASCII byte is always a boundary
        start = at + 1;
        match byte {
            b'"' => json.push_str("\\\""),
            b'\\' => json.push_str("\\\\"),
            control => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                json.push_str("\\u00");
                json.push(char::from(HEX[usize::from(control >> 4)]));
                json.push(char::from(HEX[usize::from(control & 0xf)]));
            }
        }
    }
    json.push_str(&text[start..]);
    json.push('"');
}

fn push_texts(texts: &[String], json: &mut String) {
    json.push('[');
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        push_text(text, json);
    }
    json.push(']');
}

/// The claims as found, before it is known that they are complete.
#[derive(Default)]
struct RawClaims {
    iss: Option<String>,
    sub: Option<String>,
    client_id: Option<String>,
    aud: Option<Audience>,
    iat: Option<i64>,
    exp: Option<i64>,
    jti: Option<String>,
    scope: Option<String>,
    roles: Option<Vec<String>>,
    cred: Option<String>,
    seq: Option<u64>,
}

impl<'de> Deserialize<'de> for RawClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RawClaimsVisitor)
    }
}

struct RawClaimsVisitor;

impl<'de> Visitor<'de> for RawClaimsVisitor {
    type Value = RawClaims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawClaims, A::Error> {
        let mut raw = RawClaims::default();
        let mut unknown: Vec<String> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "iss" => once(&mut raw.iss, &mut map)?,
                "sub" => once(&mut raw.sub, &mut map)?,
                "client_id" => once(&mut raw.client_id, &mut map)?,
                "aud" => once(&mut raw.aud, &mut map)?,
                "iat" => once(&mut raw.iat, &mut map)?,
                "exp" => once(&mut raw.exp, &mut map)?,
                "jti" => once(&mut raw.jti, &mut map)?,
                "scope" => once(&mut raw.scope, &mut map)?,
                "roles" => once(&mut raw.roles, &mut map)?,
                "cred" => once(&mut raw.cred, &mut map)?,
                "seq" => once(&mut raw.seq, &mut map)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    note_once(name, &mut unknown)?;
                }
            }
        }
        Ok(raw)
    }
}

/// Reads a member into its place, and refuses a second one of the same name.
pub(super) fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    place: &mut Option<T>,
    map: &mut A,
) -> Result<(), A::Error> {
    if place.is_some() {
        return Err(A::Error::custom("a repeated member"));
    }
    *place = Some(map.next_value()?);
    Ok(())
}

/// Remembers an ignored member's name, and refuses a second one: two readers might take different ones (RFC 8725 §2.6).
pub(super) fn note_once<E: serde::de::Error>(name: String, seen: &mut Vec<String>) -> Result<(), E> {
    if seen.contains(&name) {
        return Err(E::custom("a repeated member"));
    }
    seen.push(name);
    Ok(())
}

/// `aud`: one string or an array of strings (RFC 7519 §4.1.3).
struct Audience(Vec<String>);

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AudienceVisitor)
    }
}

struct AudienceVisitor;

impl<'de> Visitor<'de> for AudienceVisitor {
    type Value = Audience;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Audience, E> {
        Ok(Audience(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Audience, A::Error> {
        let mut audiences = Vec::new();
        while let Some(audience) = list.next_element()? {
            audiences.push(audience);
        }
        Ok(Audience(audiences))
    }
}
