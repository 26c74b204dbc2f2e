//! HTML cut to what is read of it: bounded in nesting and in the length of tags, without images, rules
//! and hidden parts. One pass over the tags; what a tag means is left to the library.

use std::collections::HashMap;

use crate::{READ_LIMIT, beginning};

/// The most elements inside each other. What stands deeper is left out, with all that follows.
const MOST_NESTED: usize = 150;

/// The most elements inside each other that indent their text. The text of deeper ones is indented no
/// further.
const MOST_INDENTED: usize = 12;

/// The most octets of a tag. Longer ones, such as those of images that hold their data, are left out.
const LONGEST_TAG: usize = 8 * 1024;

/// Elements that have no end tag, or need none: they do not count as nested.
const OPEN_ENDED: [&str; 25] = [
    "area", "base", "body", "br", "col", "dd", "dt", "embed", "hr", "html", "img", "input", "li",
    "link", "meta", "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr",
];

/// Elements that indent their text.
const INDENTING: [&str; 5] = ["blockquote", "dl", "menu", "ol", "ul"];

/// Elements that are left out with all that is in them.
const SILENT: [&str; 10] = [
    "head", "iframe", "math", "noscript", "object", "script", "style", "svg", "template", "title",
];

/// Tags that are left out: nothing of them is text.
const WITHOUT_TEXT: [&str; 8] = ["base", "embed", "hr", "img", "input", "link", "meta", "wbr"];

/// Ids and classes of elements that hold a signature or a quotation, and nothing else.
const NOT_WRITTEN: [&str; 8] = [
    "gmail_signature",
    "gmail_signature_prefix",
    "moz-cite-prefix",
    "moz-signature",
    "ms-outlook-mobile-signature",
    "protonmail_quote",
    "signature",
    "yahoo_quoted",
];

/// Ids of elements that a quotation begins with; it extends to the end.
const QUOTED_BELOW: [&str; 4] = [
    "appendonsend",
    "divrplyfwdmsg",
    "mail-editor-reference-message-container",
    "ms-outlook-mobile-reference-message",
];

/// Extent of what is read of HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of its text.
    Whole,
    /// Its text without the elements in which known programs put signatures and quotations.
    Written,
}

/// Part of HTML.
enum HtmlPiece<'a> {
    Text(&'a str),
    Tag(Tag<'a>),
    /// Comment, declaration, or a tag that is too long.
    Nothing,
}

struct Tag<'a> {
    raw: &'a str,
    name: String,
    is_end: bool,
}

/// Returns HTML cut to what is read of it.
pub(super) fn simplified(html: &str, extent: Extent) -> String {
    let mut rest = beginning(html, READ_LIMIT);
    let mut found = String::with_capacity(rest.len());
    let mut nesting = Nesting::default();
    // Element that is left out, with the number of those of its name that are open.
    let mut left_out: Option<(String, usize)> = None;
    while let Some((token, after)) = next(rest) {
        rest = after;
        let tag = match token {
            HtmlPiece::Nothing => continue,
            HtmlPiece::Text(text) => {
                if left_out.is_none() {
                    found.push_str(text);
                }
                continue;
            }
            HtmlPiece::Tag(tag) => tag,
        };
        if let Some((name, open)) = &mut left_out {
            match (*name == tag.name, tag.is_end) {
                (true, true) => *open -= 1,
                (true, false) => *open += 1,
                (false, _) => {}
            }
            // A head needs no end tag.
            let is_body = name == "head" && tag.name == "body";
            if *open == 0 || is_body {
                left_out = None;
            }
            if !is_body {
                continue;
            }
        }
        let name = tag.name.as_str();
        if WITHOUT_TEXT.contains(&name) {
            continue;
        }
        if !tag.is_end {
            if extent == Extent::Written && tag.is_marked(&QUOTED_BELOW) {
                break;
            }
            let is_left_out = SILENT.contains(&name)
                || tag.is_hidden()
                || (extent == Extent::Written && tag.is_marked(&NOT_WRITTEN));
            if is_left_out && !OPEN_ENDED.contains(&name) && !tag.raw.ends_with("/>") {
                left_out = Some((tag.name, 1));
                continue;
            }
        }
        match nesting.take(&tag) {
            TagUse::Kept => found.push_str(tag.raw),
            TagUse::LeftOut => {}
            TagUse::TooDeep => break,
        }
    }
    found
}

/// Elements that are open, by name.
#[derive(Default)]
struct Nesting {
    open: HashMap<String, usize>,
    depth: usize,
    indented: usize,
}

enum TagUse {
    Kept,
    LeftOut,
    TooDeep,
}

impl Nesting {
    fn take(&mut self, tag: &Tag<'_>) -> TagUse {
        if OPEN_ENDED.contains(&tag.name.as_str()) {
            return TagUse::Kept;
        }
        let is_indenting = INDENTING.contains(&tag.name.as_str());
        if tag.is_end {
            // One that ends nothing would end something for the count alone.
            let Some(open) = self.open.get_mut(&tag.name).filter(|open| **open > 0) else {
                return TagUse::LeftOut;
            };
            *open -= 1;
            self.depth -= 1;
            self.indented -= usize::from(is_indenting);
            return TagUse::Kept;
        }
        if is_indenting && self.indented == MOST_INDENTED {
            return TagUse::LeftOut;
        }
        if self.depth == MOST_NESTED {
            return TagUse::TooDeep;
        }
        *self.open.entry(tag.name.clone()).or_default() += 1;
        self.depth += 1;
        self.indented += usize::from(is_indenting);
        TagUse::Kept
    }
}

impl Tag<'_> {
    /// Returns true if the id or a class of the element is one of these. Some programs put a prefix
    /// before those of the messages that they quote.
    fn is_marked(&self, marks: &[&str]) -> bool {
        let values = ["id", "class"].map(|name| self.attribute(name));
        let mut words = values
            .iter()
            .flatten()
            .flat_map(|value| value.split_whitespace());
        words.any(|word| {
            let word = word.trim_start_matches("x_");
            marks.contains(&word)
        })
    }

    /// Returns true if readers do not show the element.
    fn is_hidden(&self) -> bool {
        let style = self.attribute("style").unwrap_or_default();
        let style: String = style.split_whitespace().collect();
        style.contains("display:none") || style.contains("mso-hide:all")
    }

    /// Returns the value of an attribute in lower case.
    fn attribute(&self, name: &str) -> Option<String> {
        let tag = self.raw.to_ascii_lowercase();
        let mut from = 0;
        while let Some(at) = tag[from..].find(name) {
            let at = from + at;
            from = at + name.len();
            let is_begin = tag[..at].ends_with(|sign: char| sign.is_ascii_whitespace());
            let Some(value) = tag[from..].trim_start().strip_prefix('=') else {
                continue;
            };
            if !is_begin {
                continue;
            }
            let value = value.trim_start();
            let value = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value[1..].split(quote).next(),
                _ => value.split([' ', '>', '\n', '\t']).next(),
            };
            return value.map(ToOwned::to_owned);
        }
        None
    }
}

/// Returns the first token of HTML, and what follows it.
fn next(html: &str) -> Option<(HtmlPiece<'_>, &str)> {
    let Some(markup) = html.strip_prefix('<') else {
        let end = html.find('<').unwrap_or(html.len());
        let (text, rest) = html.split_at(end);
        return (!text.is_empty()).then_some((HtmlPiece::Text(text), rest));
    };
    if let Some(comment) = markup.strip_prefix("!--") {
        let rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
        return Some((HtmlPiece::Nothing, rest));
    }
    let (is_end, body) = match markup.strip_prefix('/') {
        Some(body) => (true, body),
        None => (false, markup),
    };
    let is_declaration = body.starts_with(['!', '?']);
    if !is_declaration && !body.starts_with(|sign: char| sign.is_ascii_alphabetic()) {
        // A bare sign, as browsers read it.
        return Some((HtmlPiece::Text("&lt;"), markup));
    }
    let length = 1 + usize::from(is_end) + tag_length(body);
    let (raw, rest) = html.split_at(length);
    if is_declaration || raw.len() > LONGEST_TAG || !raw.ends_with('>') {
        return Some((HtmlPiece::Nothing, rest));
    }
    let name = |sign: char| sign.is_ascii_whitespace() || sign == '/' || sign == '>';
    let name = body.split(name).next().unwrap_or_default();
    // What Word writes into HTML for itself, `o:p`.
    let name = name.to_ascii_lowercase();
    Some((HtmlPiece::Tag(Tag { raw, name, is_end }), rest))
}

/// Returns the length of a tag's text up to its `>`, which may stand in a quoted value, too.
fn tag_length(body: &str) -> usize {
    let mut quote = None;
    let mut before = ' ';
    for (at, sign) in body.char_indices() {
        match (quote, sign) {
            (None, '>') => return at + 1,
            (None, '"' | '\'') if before == '=' => quote = Some(sign),
            (Some(open), sign) if open == sign => quote = None,
            _ => {}
        }
        if !sign.is_ascii_whitespace() {
            before = sign;
        }
    }
    body.len()
}
