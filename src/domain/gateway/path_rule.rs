//! Rules by which a gateway of kind `http` tells viewing from editing.

use crate::domain::grant::Action;
use std::fmt;

/// `METHOD[,METHOD…] PATTERN = view | edit | refused`: for requests with one of these methods (or `*`) at a path that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRule {
    methods: Vec<String>,
    pattern: Vec<Segment>,
    outcome: RuleOutcome,
}

/// What a rule says of the requests that fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOutcome {
    /// They take this grant.
    Takes(Action),
    /// Nobody may.
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// This very text.
    Literal(String),
    /// `*`: any one segment.
    One,
    /// `**` at the end: any number of segments, none included.
    Rest,
}

/// Why a text is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathRuleFault {
    /// Not of the form.
    #[error("give a rule as 'METHODS PATTERN = view|edit|refused', for example 'POST /search/** = view'")]
    Form,
    /// No method of that name is forwarded.
    #[error("{0:?} is not a method that is forwarded: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, or * for all")]
    Method(String),
    /// A pattern that fits nothing, or not what it seems to.
    #[error("{0:?} is not a pattern: start with /, plain segments, * for one segment, ** at the end for the rest")]
    Pattern(String),
    /// Not one of the three.
    #[error("{0:?} is neither view, edit nor refused")]
    Outcome(String),
}

/// The methods that are forwarded at all.
pub const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl PathRule {
    /// Parses a rule.
    ///
    /// # Errors
    /// [`PathRuleFault`].
    pub fn parse(text: &str) -> Result<Self, PathRuleFault> {
        let (request, outcome) = text.rsplit_once('=').ok_or(PathRuleFault::Form)?;
        let (methods, pattern) = request.trim().split_once(char::is_whitespace).ok_or(PathRuleFault::Form)?;
        let outcome = match outcome.trim() {
            "view" => RuleOutcome::Takes(Action::View),
            "edit" => RuleOutcome::Takes(Action::Edit),
            "refused" => RuleOutcome::Refused,
            other => return Err(PathRuleFault::Outcome(other.to_owned())),
        };
        let methods = parse_methods(methods)?;
        let pattern = parse_pattern(pattern.trim())?;
        Ok(Self { methods, pattern, outcome })
    }

    /// What it says, if the request fits. `path` is decoded once, without the gateway's own prefix, with a leading slash.
    #[must_use]
    pub fn judge(&self, method: &str, path: &str) -> Option<RuleOutcome> {
        let method_fits = self.methods.is_empty() || self.methods.iter().any(|own| own == method);
        (method_fits && self.fits(path)).then_some(self.outcome)
    }

    fn fits(&self, path: &str) -> bool {
        let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
        for own in &self.pattern {
            match own {
                Segment::Rest => return true,
                Segment::One => match segments.next() {
                    Some(segment) if !segment.is_empty() => {}
                    _ => return false,
                },
                Segment::Literal(text) => {
                    if segments.next() != Some(text.as_str()) {
                        return false;
                    }
                }
            }
        }
        segments.next().is_none()
    }
}

fn parse_methods(text: &str) -> Result<Vec<String>, PathRuleFault> {
    if text == "*" {
        return Ok(Vec::new());
    }
    let method = |text: &str| {
        let upper = text.to_ascii_uppercase();
        if METHODS.contains(&upper.as_str()) { Ok(upper) } else { Err(PathRuleFault::Method(text.to_owned())) }
    };
    text.split(',').map(method).collect()
}

fn parse_pattern(text: &str) -> Result<Vec<Segment>, PathRuleFault> {
    let wrong = || PathRuleFault::Pattern(text.to_owned());
    let inner = text.strip_prefix('/').ok_or_else(wrong)?;
    let count = inner.split('/').count();
    let mut segments = Vec::with_capacity(count);
    for (position, segment) in inner.split('/').enumerate() {
        let last = position + 1 == count;
        segments.push(match segment {
            "**" if last => Segment::Rest,
            "*" => Segment::One,
            "." | ".." => return Err(wrong()),
            "" if !last => return Err(wrong()),
            other if other.contains(['*', '%', '\\', '?', '#']) || other.chars().any(char::is_whitespace) => {
                return Err(wrong());
            }
            other => Segment::Literal(other.to_owned()),
        });
    }
    Ok(segments)
}

impl fmt::Display for PathRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&if self.methods.is_empty() { "*".to_owned() } else { self.methods.join(",") })?;
        f.write_str(" ")?;
        for segment in &self.pattern {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::One => f.write_str("/*")?,
                Segment::Rest => f.write_str("/**")?,
            }
        }
        let outcome = match self.outcome {
            RuleOutcome::Takes(Action::View) => "view",
            RuleOutcome::Takes(Action::Edit) => "edit",
            RuleOutcome::Refused => "refused",
        };
        write!(f, " = {outcome}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_that_fits_speaks() {
        let rule = PathRule::parse("post,PUT /search/** = view").expect("a rule");
        assert_eq!(rule.to_string(), "POST,PUT /search/** = view");
        assert_eq!(PathRule::parse(&rule.to_string()), Ok(rule.clone()));
        let view = Some(RuleOutcome::Takes(Action::View));
        assert_eq!(rule.judge("POST", "/search/a/b"), view);
        assert_eq!(rule.judge("POST", "/search"), view);
        assert_eq!(rule.judge("GET", "/search/a"), None);
        assert_eq!(rule.judge("POST", "/searching"), None);
        let one = PathRule::parse("* /admin/*/keys = refused").expect("a rule");
        assert_eq!(one.judge("GET", "/admin/x/keys"), Some(RuleOutcome::Refused));
        assert_eq!(one.judge("GET", "/admin//keys"), None);
        assert_eq!(one.judge("GET", "/admin/x/keys/y"), None);
        assert_eq!(
            PathRule::parse("* / = edit").expect("a rule").judge("GET", "/"),
            Some(RuleOutcome::Takes(Action::Edit))
        );
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in ["", "GET /a", "GET = view", "GET/a = view"] {
            assert_eq!(PathRule::parse(text), Err(PathRuleFault::Form), "{text}");
        }
        assert!(matches!(PathRule::parse("TRACE /a = view"), Err(PathRuleFault::Method(_))));
        for text in [
            "GET a = view",
            "GET /a/**/b = view",
            "GET /a/../b = view",
            "GET //a = view",
            "GET /a*b = view",
            "GET /%2e = view",
        ] {
            assert!(matches!(PathRule::parse(text), Err(PathRuleFault::Pattern(_))), "{text}");
        }
        assert!(matches!(PathRule::parse("GET /a = look"), Err(PathRuleFault::Outcome(_))));
    }
}
