//! The argument of `MATCHES`: a regular expression of a subset that Rust's and Go's engines read alike, so that an
//! upstream store decides as the hub does.
//!
//! - It must match the **whole** value, as if written `^(?:…)$`.
//! - `.` is any one character, a line feed included (as in Prometheus 3; other engines need it spelled out).
//! - Characters stand for themselves; `\` before ASCII punctuation makes it literal. `]`, `{` and `}` need that.
//! - Classes of characters and ranges, `[a-z_]` and `[^a-z]`. A `-` that is meant itself stands first, last or escaped.
//! - Groups `(…)` and `(?:…)`, alternatives `a|b`, repetitions `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}` and their lazy
//!   forms with `?`; `^` and `$`, which mean the ends of the value.
//!
//! Refused: `\d`, `\w`, `\s`, `\p{…}` and `[[:alpha:]]` (write the ranges), `\b` and its kin, `\A`, `\z`, flags, named
//! groups, look-around, back-references, character codes, set operations and classes within classes, a repetition right
//! after a repetition or an anchor, and counts whose product is above 1000.

use std::hash::{Hash, Hasher};

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{
    AssertionKind, Ast, ClassBracketed, ClassSet, ClassSetItem, GroupKind, Literal, LiteralKind, Repetition,
    RepetitionKind, RepetitionRange, Span,
};

use super::limits;

/// A checked and compiled pattern. Two patterns are equal if their texts are.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: Regex,
    literals: Option<Vec<String>>,
    prefix: String,
}

/// Why a text is not a pattern; `index` counts characters from 0.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) index: usize,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, Refused> {
        let check = Check { text };
        if text.len() > limits::PATTERN_BYTES {
            let expected = format!("a pattern of at most {} bytes", limits::PATTERN_BYTES);
            return Err(Refused { index: 0, expected, found: format!("{} bytes", text.len()) });
        }
        let ast = ParserBuilder::new()
            .nest_limit(limits::PATTERN_NESTING)
            .build()
            .parse(text)
            .map_err(|error| check.refused(error.span(), "a valid regular expression", error.kind()))?;
        check.node(&ast, limits::PATTERN_REPETITIONS)?;
        let regex = RegexBuilder::new(&format!("^(?:{text})$"))
            .dot_matches_new_line(true)
            .size_limit(limits::PATTERN_COMPILED_BYTES)
            .dfa_size_limit(limits::PATTERN_COMPILED_BYTES)
            .build()
            .map_err(|_| Refused {
                index: 0,
                expected: "a pattern with smaller repetition counts".to_owned(),
                found: "one that is too large when compiled".to_owned(),
            })?;
        Ok(Self { text: text.to_owned(), regex, literals: literals(&ast), prefix: leading_literal(&ast).0 })
    }

    /// The pattern as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `value` matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }

    /// All values that match, if the pattern is nothing but alternatives of plain text.
    #[must_use]
    pub fn literals(&self) -> Option<&[String]> {
        self.literals.as_deref()
    }

    /// Plain text with which every matching value begins; may be empty.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// Refuses everything outside the subset.
struct Check<'a> {
    text: &'a str,
}

impl Check<'_> {
    /// `repetitions` is what the counts of inner repetitions may still multiply to.
    fn node(&self, ast: &Ast, repetitions: u32) -> Result<(), Refused> {
        match ast {
            Ast::Empty(_) | Ast::Dot(_) => Ok(()),
            Ast::Literal(literal) => self.literal(literal, &[']', '}']),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine | AssertionKind::EndLine => Ok(()),
                _ => Err(self.outside(&assertion.span, "no anchors but `^` and `$`")),
            },
            Ast::ClassBracketed(class) => self.class(class),
            Ast::ClassPerl(class) => Err(self.outside(&class.span, "a class written out, such as `[0-9]`")),
            Ast::ClassUnicode(class) => Err(self.outside(&class.span, "a class written out, such as `[a-z]`")),
            Ast::Flags(flags) => Err(self.outside(&flags.span, "no flags")),
            Ast::Repetition(repetition) => self.repetition(repetition, repetitions),
            Ast::Group(group) => {
                match &group.kind {
                    GroupKind::CaptureIndex(_) => {}
                    GroupKind::NonCapturing(flags) if flags.items.is_empty() => {}
                    GroupKind::NonCapturing(flags) => return Err(self.outside(&flags.span, "no flags")),
                    GroupKind::CaptureName { name, .. } => {
                        return Err(self.outside(&name.span, "a group without a name"));
                    }
                }
                self.node(&group.ast, repetitions)
            }
            Ast::Alternation(alternation) => alternation.asts.iter().try_for_each(|part| self.node(part, repetitions)),
            Ast::Concat(concat) => concat.asts.iter().try_for_each(|part| self.node(part, repetitions)),
        }
    }

    fn repetition(&self, repetition: &Repetition, allowed: u32) -> Result<(), Refused> {
        let span = &repetition.op.span;
        if matches!(*repetition.ast, Ast::Repetition(_) | Ast::Assertion(_)) {
            return Err(self.outside(span, "no repetition right after a repetition or an anchor"));
        }
        let count = match &repetition.op.kind {
            RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => 1,
            RepetitionKind::Range(range) => {
                // Go takes other spellings, such as `{01}`, for plain text.
                let (spelled, count) = match *range {
                    RepetitionRange::Exactly(n) => (format!("{{{n}}}"), n),
                    RepetitionRange::AtLeast(n) => (format!("{{{n},}}"), n),
                    RepetitionRange::Bounded(n, m) => (format!("{{{n},{m}}}"), m),
                };
                let written = &self.text[span.start.offset..span.end.offset];
                if written.strip_suffix('?').unwrap_or(written) != spelled {
                    return Err(self.outside(span, "a repetition such as `{2}`, `{2,}` or `{2,5}`"));
                }
                count.max(1)
            }
        };
        if count > allowed {
            let expected = format!("repetition counts that multiply to at most {}", limits::PATTERN_REPETITIONS);
            return Err(self.outside(span, &expected));
        }
        self.node(&repetition.ast, allowed / count)
    }

    fn class(&self, class: &ClassBracketed) -> Result<(), Refused> {
        match &class.kind {
            ClassSet::Item(ClassSetItem::Union(union)) => {
                let last = union.items.len().saturating_sub(1);
                union.items.iter().enumerate().try_for_each(|(at, item)| self.class_item(item, at == 0 || at == last))
            }
            ClassSet::Item(item) => self.class_item(item, true),
            ClassSet::BinaryOp(operation) => Err(self.outside(&operation.span, "a class without set operations")),
        }
    }

    fn class_item(&self, item: &ClassSetItem, at_edge: bool) -> Result<(), Refused> {
        match item {
            ClassSetItem::Literal(literal) => self.literal(literal, if at_edge { &[] } else { &['-'] }),
            ClassSetItem::Range(range) => {
                self.literal(&range.start, &['-'])?;
                self.literal(&range.end, &['-'])
            }
            other => Err(self.outside(other.span(), "a class of characters and ranges only")),
        }
    }

    /// A single character; those in `escaped` count only after a backslash.
    fn literal(&self, literal: &Literal, escaped: &[char]) -> Result<(), Refused> {
        match literal.kind {
            LiteralKind::Verbatim if !escaped.contains(&literal.c) => Ok(()),
            LiteralKind::Verbatim => Err(self.outside(&literal.span, &format!("a backslash before `{}`", literal.c))),
            LiteralKind::Meta | LiteralKind::Superfluous if literal.c.is_ascii_punctuation() => Ok(()),
            _ => Err(self.outside(&literal.span, "the character itself, or a backslash before punctuation")),
        }
    }

    fn outside(&self, span: &Span, expected: &str) -> Refused {
        let written = &self.text[span.start.offset..span.end.offset];
        self.refused(span, expected, &format_args!("`{written}`"))
    }

    fn refused(&self, span: &Span, expected: &str, found: &dyn std::fmt::Display) -> Refused {
        let index = self.text[..span.start.offset].chars().count();
        Refused { index, expected: format!("in the pattern, {expected}"), found: found.to_string() }
    }
}

/// Every matching value, for plain text and alternatives of plain texts.
fn literals(ast: &Ast) -> Option<Vec<String>> {
    match ast {
        Ast::Group(group) => literals(&group.ast),
        Ast::Alternation(alternation) => {
            let branches = alternation.asts.iter().map(literals).collect::<Option<Vec<_>>>()?;
            Some(branches.into_iter().flatten().collect())
        }
        plain => match leading_literal(plain) {
            (text, true) => Some(vec![text]),
            _ => None,
        },
    }
}

/// The plain text at the beginning, and whether that is all.
fn leading_literal(ast: &Ast) -> (String, bool) {
    let parts = match ast {
        Ast::Concat(concat) => concat.asts.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut text = String::new();
    for part in parts {
        match part {
            Ast::Literal(literal) => text.push(literal.c),
            Ast::Empty(_) => {}
            _ => return (text, false),
        }
    }
    (text, true)
}
