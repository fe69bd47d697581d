//! The parameters of a request, from the URL and the form together.
//!
//! Upstreams differ in which of two values they take. So each is read here, once, and the request is made anew from what was
//! read: what is repeated, unknown or can't be read is refused.

use form_urlencoded::Serializer;
use percent_encoding::percent_decode_str;

use super::endpoint::Parameter;
use super::fault::RequestFault;

/// VictoriaMetrics limits answers by these. They are the hub's to set, and not passed on.
const STRIPPED: [&str; 3] = ["extra_label", "extra_filters", "extra_filters[]"];

/// The most pairs that are looked at.
const MOST: usize = 1_000;

/// Parameters that an endpoint knows, each repeated only where it may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    /// Reads a query string and the body of a form.
    ///
    /// # Errors
    /// Names the parameter that is unknown, repeated or not readable.
    pub(super) fn read(
        known: &'static [Parameter],
        query: Option<&str>,
        form: Option<&[u8]>,
    ) -> Result<Self, RequestFault> {
        let form = str::from_utf8(form.unwrap_or_default())
            .map_err(|_| RequestFault::Malformed("the form in the body is not UTF-8".to_owned()))?;
        let mut found = Self::default();
        let pairs = query.unwrap_or_default().split('&').chain(form.split('&'));
        for (count, pair) in pairs.filter(|pair| !pair.is_empty()).enumerate() {
            if count == MOST {
                return Err(RequestFault::TooLarge(format!("a request has at most {MOST} parameters")));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(|| RequestFault::parameter(name, "is not encoded correctly"))?;
            if STRIPPED.contains(&name.as_str()) {
                continue;
            }
            let parameter = known
                .iter()
                .find(|parameter| parameter.name == name)
                .ok_or_else(|| RequestFault::parameter(&name, "is not known at this endpoint"))?;
            if !parameter.repeats && found.one(parameter.name).is_some() {
                return Err(RequestFault::parameter(&name, "is given more than once"));
            }
            let value = decode(value).ok_or_else(|| RequestFault::parameter(&name, "is not encoded correctly"))?;
            found.0.push((parameter.name, value));
        }
        Ok(found)
    }

    /// The first value of a parameter.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Puts these values in the place of all that a parameter had.
    pub(super) fn replace(&mut self, name: &'static str, values: Vec<String>) {
        self.0.retain(|(known, _)| *known != name);
        self.0.extend(values.into_iter().map(|value| (name, value)));
    }

    /// As a query string or the body of a form; `None` if there are none.
    pub(super) fn encode(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let mut text = Serializer::new(String::new());
        for (name, value) in &self.0 {
            text.append_pair(name, value);
        }
        Some(text.finish())
    }
}

/// Decodes once; `None` if a percent sign begins no byte or the bytes are no UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let hex = rest.get(at + 1..at + 3)?;
        if !hex.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        rest = &rest[at + 3..];
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KNOWN: &[Parameter] =
        &[Parameter { name: "query", repeats: false }, Parameter { name: "match[]", repeats: true }];

    fn read(query: &str, form: &str) -> Result<Parameters, RequestFault> {
        Parameters::read(KNOWN, Some(query), Some(form.as_bytes()))
    }

    #[test]
    fn url_and_form_count_together() {
        let found = read("match[]=a&query=1%2B1", "match%5B%5D=b+c&&").unwrap();
        assert_eq!(found.one("query"), Some("1+1"));
        assert_eq!(found.all("match[]").collect::<Vec<_>>(), ["a", "b c"]);
        assert_eq!(found.encode().unwrap(), "match%5B%5D=a&query=1%2B1&match%5B%5D=b+c");
        assert_eq!(read("", "").unwrap().encode(), None);
    }

    /// SECURITY 26: URL and form can't disagree.
    #[test]
    fn sec_26_a_repeated_parameter_is_refused_wherever_it_stands() {
        for (query, form) in [
            ("query=a&query=b", ""),
            ("query=a&query=a", ""),
            ("query=a", "query=b"),
            ("", "query=a&query=b"),
            ("query=a", "%71uery=b"),
            ("query=", "query=b"),
            ("query", "query=b"),
        ] {
            let fault = read(query, form).unwrap_err();
            assert_eq!(fault, RequestFault::parameter("query", "is given more than once"), "{query} {form}");
        }
    }

    #[test]
    fn unknown_and_unreadable_ones_are_refused_by_name() {
        let fault = read("qery=up", "").unwrap_err();
        assert_eq!(fault.to_string(), "the parameter “qery” is not known at this endpoint");
        for bad in ["query=%", "query=%4", "query=%zz", "query=%ff", "%=1", "query=%%34%31"] {
            assert!(matches!(read(bad, ""), Err(RequestFault::Parameter { .. })), "{bad}");
        }
        assert!(read("trace=1", "").is_err());
        assert!(Parameters::read(KNOWN, None, Some(b"query=\xff")).is_err());
        assert!(read(&"match[]=a&".repeat(MOST), "").is_ok());
        assert!(read(&"match[]=a&".repeat(MOST), "match[]=b").is_err());
    }

    /// SECURITY 25: what limits an upstream's answer is the hub's to set.
    #[test]
    fn sec_25_filters_of_victoria_metrics_are_not_passed_on() {
        let query =
            "extra_label=team=b&query=up&extra_filters={team=\"b\"}&extra_filters%5B%5D={team=\"b\"}&extra_filters[]=x";
        assert_eq!(read(query, query.replace("query=up&", "").as_str()).unwrap().encode().unwrap(), "query=up");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_again(values in proptest::collection::vec(".*", 0..5)) {
            let mut made = Parameters::default();
            made.replace("match[]", values);
            let text = made.encode();
            prop_assert_eq!(&Parameters::read(KNOWN, text.as_deref(), None).unwrap(), &made);
            prop_assert_eq!(&Parameters::read(KNOWN, None, text.as_deref().map(str::as_bytes)).unwrap(), &made);
        }

        #[test]
        fn nothing_panics(query in ".*", form in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Parameters::read(KNOWN, Some(&query), Some(&form));
        }
    }
}
