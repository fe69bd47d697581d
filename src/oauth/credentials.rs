//! The credentials that a client sends: HTTP Basic or in the body, never both (RFC 6749 §2.3.1).

use http::{HeaderMap, header};
use zeroize::Zeroizing;

use super::error::OauthError;
use super::form::Form;
use crate::app::client_auth::Credentials;
use crate::app::throttle::Method;
use crate::http::basic::{self, BasicFault};

impl Credentials {
    /// Finds the one set of credentials.
    ///
    /// # Errors
    /// `invalid_request` for two sets at once, `invalid_client` for none or for a header that can't be read.
    pub fn read(headers: &HeaderMap, form: &Form<'_>) -> Result<Self, OauthError> {
        let (id, secret) = (form.get("client_id"), form.get("client_secret"));
        let Some(authorization) = headers.get(header::AUTHORIZATION) else {
            return match (id, secret) {
                (Some(id), Some(secret)) => Ok(Self {
                    client_id: id.to_owned(),
                    secret: Zeroizing::new(secret.to_owned()),
                    method: Method::Body,
                }),
                _ => Err(OauthError::no_credentials(
                    "client authentication is needed: send client_id and client_secret as HTTP Basic or in the body",
                )),
            };
        };
        if secret.is_some() {
            return Err(OauthError::invalid_request(
                "credentials stand in the Authorization header and in the body: send one of them",
            ));
        }
        let credentials = Self::from_basic(authorization.as_bytes())?;
        // An equal client_id alone in the body is no second set of credentials.
        if id.is_some_and(|id| id != credentials.client_id) {
            return Err(OauthError::invalid_request(
                "the client_id in the body is not the one of the Authorization header",
            ));
        }
        Ok(credentials)
    }

    fn from_basic(header: &[u8]) -> Result<Self, OauthError> {
        basic::parse(header).map_err(|fault| match fault {
            BasicFault::Scheme => OauthError::no_credentials("the Authorization header is not of the scheme Basic"),
            BasicFault::Unreadable => OauthError::no_credentials(
                "the Basic credentials can't be read: send base64 of client_id, a colon and client_secret",
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn read(authorization: Option<&str>, body: &str) -> Result<(String, String, Method), &'static str> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).expect("a header"));
        }
        let form = Form::parse(body.as_bytes()).expect("a form");
        Credentials::read(&headers, &form)
            .map(|found| (found.client_id, found.secret.to_string(), found.method))
            .map_err(|error| error.code())
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn sec_04_basic_is_form_decoded() {
        let good = |id: &str, secret: &str| Ok((id.to_owned(), secret.to_owned(), Method::Basic));
        assert_eq!(read(Some(&basic("gh_a:ghs_b")), ""), good("gh_a", "ghs_b"));
        assert_eq!(read(Some(&basic("gh%5Fa:a%3Ab+c%25")), ""), good("gh_a", "a:b c%"));
        assert_eq!(read(Some(&basic("a:b:c")), ""), good("a", "b:c"));
        assert_eq!(read(Some(&basic("gh_a:ghs_b").replace("Basic ", "bAsIc   ")), ""), good("gh_a", "ghs_b"));
        assert_eq!(
            read(Some(basic("gh_aa:x").trim_end_matches('=')), "client_id=gh_aa&client_secret="),
            good("gh_aa", "x")
        );
    }

    #[test]
    fn sec_02_two_credentials_at_once_are_refused() {
        let header = basic("a:b");
        assert_eq!(read(Some(&header), "client_id=a&client_secret=b"), Err("invalid_request"));
        assert_eq!(read(Some(&header), "client_secret=b"), Err("invalid_request"));
        assert_eq!(read(Some(&header), "client_id=c"), Err("invalid_request"));
        assert_eq!(read(Some("Bearer x"), "client_id=a&client_secret=b"), Err("invalid_request"));
    }

    #[test]
    fn what_is_missing_or_unreadable_is_invalid_client() {
        for header in ["Bearer x", "Basic", "Basic ", "Basic %%", "Basic YQ==", "Basic/x y", "Basic /w=="] {
            assert_eq!(read(Some(header), ""), Err("invalid_client"), "{header}");
        }
        assert_eq!(read(Some(&basic("a%:b")), ""), Err("invalid_client"));
        for body in ["", "client_id=a", "client_secret=a", "client_id=a&client_secret="] {
            assert_eq!(read(None, body), Err("invalid_client"), "{body}");
        }
        assert_eq!(read(None, "client_id=a&client_secret=b"), Ok(("a".to_owned(), "b".to_owned(), Method::Body)));
    }

    proptest! {
        #[test]
        fn no_header_panics(bytes in any::<Vec<u8>>(), text in any::<String>()) {
            let _ = Credentials::from_basic(&bytes);
            let _ = Credentials::from_basic(basic(&text).as_bytes());
        }
    }
}
