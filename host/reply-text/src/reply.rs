//! The newest part of a text.

use crate::lines::{LineKind, TextLine, lines};
use crate::{READ_LIMIT, attribution, beginning, fields, separator, signature};

/// The most blank lines between an attribution and its quotation.
const MOST_BLANK: usize = 2;

/// Returns the part of a text that its author has just written: without quotations, what introduces
/// them, forwarded messages and signature. Answers between and below the lines of a quotation are
/// kept. Of a text that consists of nothing else, such as a message that is forwarded without a
/// word, all is returned: the result is empty only if the text is blank.
pub fn reply(text: &str) -> String {
    let text = beginning(text, READ_LIMIT);
    let lines = lines(text);
    let written = written(&lines);
    let without_signature = joined(
        &lines,
        written
            .iter()
            .map(|part| (part.0, part.0 + signature::without(&lines[part.0..part.1]))),
    );
    if !without_signature.is_empty() {
        return without_signature;
    }
    let with_signature = joined(&lines, written.iter().copied());
    match with_signature.is_empty() {
        true => joined(&lines, [(0, lines.len())]),
        false => with_signature,
    }
}

/// Returns the parts that are no quotation and introduce none, as ranges of lines.
fn written(lines: &[TextLine<'_>]) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while at < lines.len() {
        let line = &lines[at];
        if line.kind == LineKind::Quoted {
            parts.push((begin, at));
            at += 1;
            begin = at;
            continue;
        }
        if line.kind == LineKind::Written {
            if separator::announces(line.text) || fields::begin_with(lines, at) {
                parts.push((begin, above_rule(lines, begin, at)));
                return parts;
            }
            if let Some(found) = attribution::ends_with(lines, at, begin) {
                let is_followed = is_quoted_below(lines, at);
                if is_followed || found.is_certain {
                    parts.push((begin, found.begin));
                    if !is_followed {
                        return parts;
                    }
                    begin = at + 1;
                }
            }
        }
        at += 1;
    }
    parts.push((begin, lines.len()));
    parts
}

/// Returns true if the lines below this one are quoted.
fn is_quoted_below(lines: &[TextLine<'_>], at: usize) -> bool {
    let below = lines[at + 1..].iter().take(MOST_BLANK + 1);
    let mut below = below.skip_while(|line| line.kind == LineKind::Blank);
    below
        .next()
        .is_some_and(|line| line.kind == LineKind::Quoted)
}

/// Returns the end of a written part without the blank lines and rules right above a quotation.
fn above_rule(lines: &[TextLine<'_>], begin: usize, end: usize) -> usize {
    let is_frame =
        |line: &&TextLine<'_>| line.kind == LineKind::Blank || separator::is_rule(line.text);
    let frame = lines[begin..end].iter().rev().take_while(is_frame).count();
    end - frame
}

/// Joins parts, with a blank line between them and none at the ends.
fn joined(lines: &[TextLine<'_>], parts: impl IntoIterator<Item = (usize, usize)>) -> String {
    let mut text = String::new();
    for (begin, end) in parts {
        let mut blank = !text.is_empty();
        for line in &lines[begin..end] {
            if line.kind == LineKind::Blank {
                blank |= !text.is_empty();
                continue;
            }
            if !text.is_empty() {
                text.push_str(if blank { "\n\n" } else { "\n" });
            }
            blank = false;
            text.push_str(line.text);
        }
    }
    text
}
