//! Texts, globs and patterns as regular expressions of the whole value, in the syntax that Go's engine reads alike in
//! every upstream: what a dot or a class means stands there as ranges, because a dot matches a line break in
//! Prometheus 3 and not in 2.

use std::fmt::Write;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{AssertionKind, Ast, ClassSet, ClassSetItem, RepetitionKind, RepetitionRange};

use crate::domain::data_filter::{Glob, Pattern, limits};

const ANY: &str = "[\\x00-\\x{10FFFF}]";
const LAST: u32 = 0x10_FFFF;

/// Exactly this text.
pub(super) fn literal(text: &str) -> String {
    text.chars().fold(String::new(), |mut written, c| {
        if r"\.+*?()|[]{}^$".contains(c) {
            written.push('\\');
        }
        written.push(c);
        written
    })
}

/// What the argument of `LIKE` matches.
pub(super) fn glob(glob: &Glob) -> String {
    let pieces: Vec<String> = glob.pieces().iter().map(|piece| literal(piece)).collect();
    pieces.join(&format!("{ANY}*"))
}

/// What the argument of `MATCHES` matches; `None` for what its subset does not hold.
pub(super) fn pattern(pattern: &Pattern) -> Option<String> {
    let ast = ParserBuilder::new().nest_limit(limits::PATTERN_NESTING).build().parse(pattern.text()).ok()?;
    let mut written = String::new();
    write(&ast, &mut written)?;
    Some(written)
}

fn write(ast: &Ast, out: &mut String) -> Option<()> {
    match ast {
        Ast::Empty(_) => {}
        Ast::Dot(_) => out.push_str(ANY),
        Ast::Literal(character) => out.push_str(&literal(character.c.encode_utf8(&mut [0; 4]))),
        Ast::Assertion(assertion) => out.push(match assertion.kind {
            AssertionKind::StartLine => '^',
            AssertionKind::EndLine => '$',
            _ => return None,
        }),
        Ast::ClassBracketed(class) => class_ranges(&class.kind, class.negated, out)?,
        Ast::Repetition(repetition) => {
            group(&repetition.ast, out)?;
            // Whether it is lazy makes no difference to what matches as a whole.
            match repetition.op.kind {
                RepetitionKind::ZeroOrOne => out.push('?'),
                RepetitionKind::ZeroOrMore => out.push('*'),
                RepetitionKind::OneOrMore => out.push('+'),
                RepetitionKind::Range(RepetitionRange::Exactly(n)) => write!(out, "{{{n}}}").ok()?,
                RepetitionKind::Range(RepetitionRange::AtLeast(n)) => write!(out, "{{{n},}}").ok()?,
                RepetitionKind::Range(RepetitionRange::Bounded(n, m)) => write!(out, "{{{n},{m}}}").ok()?,
            }
        }
        Ast::Group(inner) => group(&inner.ast, out)?,
        Ast::Alternation(alternation) => {
            for (at, part) in alternation.asts.iter().enumerate() {
                if at > 0 {
                    out.push('|');
                }
                write(part, out)?;
            }
        }
        Ast::Concat(concat) => {
            for part in &concat.asts {
                write(part, out)?;
            }
        }
        Ast::Flags(_) | Ast::ClassUnicode(_) | Ast::ClassPerl(_) => return None,
    }
    Some(())
}

fn group(ast: &Ast, out: &mut String) -> Option<()> {
    if matches!(ast, Ast::Literal(_) | Ast::Dot(_) | Ast::ClassBracketed(_)) {
        return write(ast, out);
    }
    out.push_str("(?:");
    write(ast, out)?;
    out.push(')');
    Some(())
}

fn class_ranges(set: &ClassSet, negated: bool, out: &mut String) -> Option<()> {
    let ClassSet::Item(item) = set else { return None };
    let mut ranges = Vec::new();
    collect(item, &mut ranges)?;
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if first <= *end + 1 => *end = last.max(*end),
            _ => merged.push((first, last)),
        }
    }
    if negated {
        merged = complement(&merged);
    }
    // A class of nothing can't be written as one.
    if merged.is_empty() {
        return None;
    }
    out.push('[');
    for (first, last) in merged {
        character(first, out);
        if last > first {
            out.push('-');
            character(last, out);
        }
    }
    out.push(']');
    Some(())
}

fn collect(item: &ClassSetItem, ranges: &mut Vec<(u32, u32)>) -> Option<()> {
    match item {
        ClassSetItem::Literal(literal) => ranges.push((u32::from(literal.c), u32::from(literal.c))),
        ClassSetItem::Range(range) => ranges.push((u32::from(range.start.c), u32::from(range.end.c))),
        ClassSetItem::Union(union) => union.items.iter().try_for_each(|item| collect(item, ranges).ok_or(())).ok()?,
        _ => return None,
    }
    Some(())
}

fn complement(ranges: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut gaps = Vec::new();
    let mut next = 0;
    for (first, last) in ranges {
        if *first > next {
            gaps.push((next, first - 1));
        }
        next = last + 1;
    }
    if next <= LAST {
        gaps.push((next, LAST));
    }
    gaps
}

fn character(code: u32, out: &mut String) {
    match char::from_u32(code) {
        Some(c) if c.is_ascii_alphanumeric() => out.push(c),
        _ => {
            let _ = write!(out, "\\x{{{code:X}}}");
        }
    }
}
