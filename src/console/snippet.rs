//! Snippets to paste: one set, used by the OAuth documentation and by the window that shows a new key.
//!
//! Each is a file of `templates/snippets/` that is right as it stands, for an imaginary hub; only the hub's own address is
//! put in. The credentials stay placeholders: the window's script fills them in from the fields beside them, so that a
//! secret stands in its answer once. `tests/cli/snippets.rs` takes each from the page and runs it.

/// The address in the files.
const EXAMPLE: &str = "https://hub.example.com";

/// One snippet.
#[derive(Clone, Debug)]
pub(crate) struct Snippet {
    /// Its id on a page, after `snippet-`.
    pub(crate) id: &'static str,
    /// What it is for.
    pub(crate) label: &'static str,
    pub(crate) text: String,
    /// What the hub's tests do with it, and what else is to be known.
    pub(crate) note: &'static str,
}

impl Snippet {
    fn new(public_url: &str, id: &'static str, label: &'static str, text: &str, note: &'static str) -> Self {
        let (scheme, authority) = public_url.split_once("://").unwrap_or_default();
        let text = text
            .replace(EXAMPLE, public_url)
            .replace("hub.example.com", authority)
            .replace("scheme: https", &format!("scheme: {scheme}"));
        Self { id, label, text: text.trim_end().to_owned(), note }
    }
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../templates/snippets/", $name))
    };
}

/// The snippets for getting a token and using it, at the hub with this address.
pub(crate) fn all(public_url: &str) -> Vec<Snippet> {
    let new = |id, label, text, note| Snippet::new(public_url, id, label, text, note);
    vec![
        new("curl", "curl", file!("curl.sh"), "Run by the hub's tests as it stands here."),
        new("python", "Python", file!("python.py"), "Run by the hub's tests as it stands here."),
        new("go", "Go", file!("go.go"), "Run by the hub's tests as it stands here. Renews its token by itself."),
        new("javascript", "JavaScript", file!("javascript.mjs"), "Run by the hub's tests as it stands here."),
        new(
            "prometheus",
            "Prometheus",
            file!("prometheus.yml"),
            "Checked by Prometheus' own promtool in the hub's tests, which then ask for the token and the metrics that it \
             describes. Prometheus itself is not run there.",
        ),
        new(
            "otel-collector",
            "OpenTelemetry",
            file!("otel-collector.yml"),
            "For the OpenTelemetry Collector. Not run by the hub's tests: they parse it, and ask for the token and the address that it describes.",
        ),
        new(
            "env",
            ".env",
            file!("credentials.env"),
            "Read by a shell in the hub's tests. Keep it out of version control.",
        ),
    ]
}

/// How an application ends its own token; goes on from the curl snippet.
pub(crate) fn revoke(public_url: &str) -> Snippet {
    Snippet::new(public_url, "revoke", "Revoke", file!("revoke.sh"), "Run by the hub's tests as it stands here.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_name_this_hub_and_no_other() {
        for url in ["http://127.0.0.1:8080", "https://hub.of.ours:8443"] {
            let mut snippets = all(url);
            snippets.push(revoke(url));
            for snippet in snippets {
                assert!(!snippet.text.contains("example.com"), "{}", snippet.text);
                assert!(snippet.text.contains(url), "{}", snippet.text);
            }
            let [scheme, authority] = [url.split("://").next(), url.split("://").nth(1)].map(Option::unwrap_or_default);
            let prometheus = all(url).into_iter().find(|snippet| snippet.id == "prometheus").expect("one");
            assert!(prometheus.text.contains(&format!("scheme: {scheme}\n")));
            assert!(prometheus.text.contains(&format!("targets: [\"{authority}\"]")));
        }
    }
}
