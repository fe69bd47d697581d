//! Texts, globs and patterns as regular expressions of the whole value, which every upstream reads alike.
//!
//! A dot matches a line break in Prometheus 3 and not in 2, so classes stand there as ranges. And `VictoriaMetrics`
//! (1.79, for one) simplifies what covers all characters to a dot that does not match a line break, so a line break
//! never stands in a class: it is an alternative of its own, which nothing merges with others.

use std::fmt::Write;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{AssertionKind, Ast, ClassSet, ClassSetItem, RepetitionKind, RepetitionRange};

use crate::domain::data_filter::{Glob, Pattern, limits};

/// A line break, and then what is true everywhere.
const LINE_BREAK: &str = "\\n(?:\\b|\\B)";
/// Any one character.
const ANY: &str = "(?:[^\\n]|\\n(?:\\b|\\B))";
/// Any run of characters: lines.
const ANY_RUN: &str = "[^\\n]*(?:\\n[^\\n]*)*";
const FEED: u32 = 0x0A;
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
    pieces.join(ANY_RUN)
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
        Ast::Repetition(repetition) if matches!(*repetition.ast, Ast::Dot(_)) && is_star(&repetition.op.kind) => {
            out.push_str(ANY_RUN);
        }
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

fn is_star(kind: &RepetitionKind) -> bool {
    matches!(kind, RepetitionKind::ZeroOrMore | RepetitionKind::Range(RepetitionRange::AtLeast(0)))
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
    let breaks = merged.iter().any(|(first, last)| (*first..=*last).contains(&FEED));
    let others: Vec<(u32, u32)> = merged.into_iter().flat_map(without_feed).collect();
    if breaks {
        out.push_str("(?:");
    }
    if !others.is_empty() {
        out.push('[');
        for (first, last) in &others {
            character(*first, out);
            if last > first {
                out.push('-');
                character(*last, out);
            }
        }
        out.push(']');
    }
    match (breaks, others.is_empty()) {
        (false, false) => {}
        (true, empty) => {
            out.push_str(if empty { "" } else { "|" });
            out.push_str(LINE_BREAK);
            out.push(')');
        }
        // A class of nothing can't be written as one.
        (false, true) => return None,
    }
    Some(())
}

/// What is left and right of the line break.
fn without_feed((first, last): (u32, u32)) -> Vec<(u32, u32)> {
    if !(first..=last).contains(&FEED) {
        return vec![(first, last)];
    }
    [(first, FEED - 1), (FEED + 1, last)].into_iter().filter(|(first, last)| first <= last).collect()
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
