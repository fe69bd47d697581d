//! Requests that two HTTP implementations could read differently are refused before anything else looks at them.

use http::{Version, header, request::Parts};

/// Checks the head of a request; the error says what is wrong with it, in words for the caller.
///
/// Malformed heads, and bodies whose end is in doubt, are refused before ([`crate::http1`]); over HTTP/2 by hyper. The check for
/// two lengths is a second line.
///
/// # Errors
/// The reason, when the request is ambiguous or carries control characters.
pub fn check(parts: &Parts) -> Result<(), &'static str> {
    let mut hosts = 0_usize;
    let mut authorizations = 0_usize;
    let mut length = false;
    let mut transfer = false;
    for name in parts.headers.keys() {
        match *name {
            header::HOST => hosts = parts.headers.get_all(name).iter().count(),
            header::AUTHORIZATION => authorizations = parts.headers.get_all(name).iter().count(),
            header::CONTENT_LENGTH => length = true,
            header::TRANSFER_ENCODING => transfer = true,
            _ => {}
        }
    }
    if hosts > 1 {
        return Err("The request has more than one Host header.");
    }
    if authorizations > 1 {
        return Err("The request has more than one Authorization header.");
    }
    if length && transfer {
        return Err("The request has both Content-Length and Transfer-Encoding.");
    }
    if parts.version == Version::HTTP_2 {
        let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
        let host = parts.headers.get(header::HOST).map(http::HeaderValue::as_bytes);
        if let (Some(authority), Some(host)) = (authority, host)
            && !authority.eq_ignore_ascii_case(host)
        {
            return Err("The Host header and :authority differ.");
        }
    } else {
        if hosts == 0 && parts.version == Version::HTTP_11 {
            return Err("The request has no Host header.");
        }
        // Absolute-form and authority-form belong to forward proxies; the Host header and the target could disagree.
        if parts.uri.authority().is_some() || parts.uri.scheme().is_some() {
            return Err("The request target must be a path.");
        }
    }
    if has_encoded_control(parts.uri.path()) {
        return Err("The path contains an encoded control character.");
    }
    if parts.uri.query().is_some_and(|query| query.contains("%00")) {
        return Err("The query contains an encoded NUL.");
    }
    Ok(())
}

fn has_encoded_control(path: &str) -> bool {
    path.as_bytes().windows(3).any(|window| match window {
        [b'%', b'0' | b'1', low] => low.is_ascii_hexdigit(),
        [b'%', b'7', low] => matches!(low, b'f' | b'F'),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn checked(version: Version, uri: &str, headers: &[(&str, &str)]) -> Result<(), &'static str> {
        let mut request = Request::builder().version(version).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn plain_requests_pass() {
        assert!(checked(Version::HTTP_11, "/a/b%2Fc?x=%0A", &[("host", "hub")]).is_ok());
        assert!(checked(Version::HTTP_10, "/", &[]).is_ok());
        assert!(checked(Version::HTTP_2, "https://hub/a", &[]).is_ok());
        assert!(checked(Version::HTTP_2, "https://hub/a", &[("host", "HUB")]).is_ok());
    }

    #[test]
    fn ambiguous_requests_are_refused() {
        let h11 = Version::HTTP_11;
        assert!(checked(h11, "/", &[]).is_err());
        assert!(checked(h11, "/", &[("host", "a"), ("host", "a")]).is_err());
        assert!(checked(h11, "/", &[("host", "a"), ("authorization", "x"), ("authorization", "x")]).is_err());
        assert!(
            checked(h11, "/", &[("host", "a"), ("content-length", "1"), ("transfer-encoding", "chunked")]).is_err()
        );
        assert!(checked(h11, "http://a/", &[("host", "a")]).is_err());
        assert!(checked(Version::HTTP_2, "https://a/", &[("host", "b")]).is_err());
        for path in ["/%00", "/a%0a", "/a%1F", "/%7f"] {
            assert!(checked(h11, path, &[("host", "a")]).is_err(), "{path}");
        }
        assert!(checked(h11, "/?a=%00", &[("host", "a")]).is_err());
    }
}
