//! Text of HTML.
//!
//! The library takes memory, time and stack beyond any proportion for HTML that is nested a thousand
//! times. So it gets HTML that was simplified first.

mod decorator;
mod simplified;

use html2text::config;

use self::decorator::Quoting;
use self::simplified::{Extent, simplified};
use crate::reply::reply;

/// Columns of the text: lines are broken where the author broke them.
const COLUMNS: usize = 100_000;

/// Returns the text of HTML. Quotations get `>`.
pub fn text_of_html(html: &str) -> String {
    rendered(&simplified(html, Extent::Whole))
}

/// Returns the part of HTML that its author has just written, as [`reply`] does for text.
pub fn reply_of_html(html: &str) -> String {
    let written = reply(&rendered(&simplified(html, Extent::Written)));
    match written.is_empty() {
        // All of it stands in elements for what is not written: it is judged by its text.
        true => reply(&text_of_html(html)),
        false => written,
    }
}

/// Renders simplified HTML.
fn rendered(html: &str) -> String {
    let config = config::with_decorator(Quoting)
        .raw_mode(true)
        .no_table_borders()
        .no_link_wrapping()
        .link_footnotes(false)
        .allow_width_overflow();
    let text = config.string_from_read(html.as_bytes(), COLUMNS);
    let text = text.unwrap_or_default();
    let lines = text
        .lines()
        .map(|line| line.trim_end_matches([' ', '\u{a0}']));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.trim_matches('\n').to_owned()
}
