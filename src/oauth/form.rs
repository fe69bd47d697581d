//! The body of an OAuth request, `application/x-www-form-urlencoded`, read strictly (RFC 6749 §3.2 and appendix B).

use std::borrow::Cow;

use super::error::OauthError;

/// The longest body that is read, in bytes.
pub const LONGEST_BODY: usize = 16 * 1024;

/// More parameters than any client sends; bounds the search for repeated ones.
const MOST_PARAMETERS: usize = 64;

/// Parameters that the hub reads somewhere in a body, and that must not stand in a query: what stands in a query ends
/// up in other programs' logs.
const BODY_ONLY: [&str; 9] = [
    "client_id",
    "client_secret",
    "client_assertion",
    "grant_type",
    "scope",
    "resource",
    "token",
    "access_token",
    "refresh_token",
];

/// The parameters of a request, each given once. Borrows from the body wherever nothing was encoded.
pub struct Form<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    several_resources: bool,
}

impl<'a> Form<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// `invalid_request` for what is not well-formed, and for a repeated parameter. Only `resource` may be repeated by
    /// its standard (RFC 8707 §2), so several of them are noted instead: see [`Form::several_resources`].
    pub fn parse(body: &'a [u8]) -> Result<Self, OauthError> {
        let body = std::str::from_utf8(body).map_err(|_| OauthError::invalid_request("the body is not UTF-8"))?;
        let mut form = Self { pairs: Vec::with_capacity(6), several_resources: false };
        for pair in body.split('&').filter(|pair| !pair.is_empty()) {
            if form.pairs.len() == MOST_PARAMETERS {
                return Err(OauthError::invalid_request("too many parameters"));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                return Err(OauthError::invalid_request(
                    "a parameter is not well-formed: `%` is followed by two hexadecimal digits, and the text is UTF-8",
                ));
            };
            if form.pairs.iter().any(|(known, _)| *known == name) {
                if name == "resource" {
                    form.several_resources = true;
                    continue;
                }
                return Err(OauthError::invalid_request("a parameter is given more than once"));
            }
            form.pairs.push((name, value));
        }
        Ok(form)
    }

    /// The value of a parameter; an empty one is absent (RFC 6749 §3.2).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// Whether `resource` was given more than once.
    #[must_use]
    pub fn several_resources(&self) -> bool {
        self.several_resources
    }
}

/// Refuses a query that carries anything that belongs into the body, credentials above all.
///
/// # Errors
/// `invalid_request`, without repeating anything of it.
pub fn check_query(query: Option<&str>) -> Result<(), OauthError> {
    let Some(query) = query.filter(|query| !query.is_empty()) else { return Ok(()) };
    let names = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    for name in names {
        // What can't be decoded could be anything; it is refused too.
        if decode(name).is_none_or(|name| BODY_ONLY.contains(&name.as_ref())) {
            return Err(OauthError::invalid_request(
                "parameters belong into the body, never into the query; treat a secret that was sent in a query as leaked",
            ));
        }
    }
    Ok(())
}

pub use crate::http::basic::decode;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parameters_are_decoded_and_empty_ones_absent() {
        let form = Form::parse(b"grant_type=client_credentials&scope=a%3Ab+c&resource=&x&&y=%C3%BC").expect("parses");
        assert_eq!(form.get("grant_type"), Some("client_credentials"));
        assert_eq!(form.get("scope"), Some("a:b c"));
        assert_eq!(form.get("resource"), None);
        assert_eq!(form.get("x"), None);
        assert_eq!(form.get("y"), Some("ü"));
        assert!(matches!(form.pairs[0].1, Cow::Borrowed(_)));
    }

    #[test]
    fn sec_02_repeated_and_broken_parameters_are_refused() {
        for bad in ["a=1&a=1", "a=1&%61=2", "a&a", "a=&a=1", "a=%", "a=%4", "a=%zz", "%G1=a", "a=%ff", "a=\u{1}%f"] {
            assert!(Form::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Form::parse(b"a=\xff").is_err());
        let many = (0..65).map(|n| format!("a{n}=")).collect::<Vec<_>>().join("&");
        assert!(Form::parse(many.as_bytes()).is_err());
        assert!(Form::parse(b"resource=a&resource=b").expect("its own error").several_resources());
    }

    #[test]
    fn sec_02_credentials_in_the_query_are_refused_however_they_are_written() {
        for bad in ["client_secret=x", "a=1&client_id=x", "client%5Fsecret", "client%5fid=", "%zz=1", "grant_type=x"] {
            assert!(check_query(Some(bad)).is_err(), "{bad}");
        }
        for good in [None, Some(""), Some("api-version=1"), Some("a=client_secret")] {
            assert!(check_query(good).is_ok(), "{good:?}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics_and_what_is_encoded_comes_back(body in any::<Vec<u8>>(), value in "\\PC+") {
            let _ = Form::parse(&body);
            let _ = check_query(Some(&String::from_utf8_lossy(&body)));
            let text: String = form_urlencoded::Serializer::new(String::new()).append_pair("v", &value).finish();
            let form = Form::parse(text.as_bytes()).expect("parses");
            prop_assert_eq!(form.get("v"), Some(value.as_str()));
        }
    }
}
