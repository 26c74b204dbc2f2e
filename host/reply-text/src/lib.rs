//! The part of a message that its author has just written.
//!
//! People answer above, below and between the lines of the message that they answer, and their mail
//! programs add its text, a line that introduces it ("On Monday, Ann wrote:"), and a signature.
//! [`reply()`] returns what is left without these; [`reply_of_html`] does so for HTML, and
//! [`text_of_html`] returns all of its text.
//!
//! ```
//! use gatepost_reply_text::reply;
//!
//! let text = "It works now.\n\nOn Mon, 3 Feb 2025 at 10:15, Ann <ann@desk.example> wrote:\n> Does it work?\n";
//! assert_eq!(reply(text), "It works now.");
//! ```
//!
//! Steps:
//!
//! 1. HTML becomes text (`html`). The elements in which known programs put signatures and quotations
//!    are left out, and `blockquote` becomes lines with `>`.
//! 2. Each line gets its kind (`lines`): blank, quoted, or written.
//! 3. What introduces a quotation is found: a sentence with its author and time (`attribution`), a
//!    block of header fields (`fields`), or a line that announces one (`separator`). Without `>`, the
//!    quotation extends to the end.
//! 4. The signature is cut from the end of each written part (`signature`).
//!
//! The words of programs in twelve languages stand in `languages`. A rule that would leave nothing is
//! not applied: where something was written, something is returned. All of it takes time in
//! proportion to the length of the text, of which [`READ_LIMIT`] octets are read.

#![forbid(unsafe_code)]

mod attribution;
mod fields;
mod html;
mod languages;
mod lines;
mod reply;
mod separator;
mod signature;

pub use html::{reply_of_html, text_of_html};
pub use reply::reply;

/// The most octets of a text, or of HTML, that are read: half a mebibyte. The rest is left out.
pub const READ_LIMIT: usize = 512 * 1024;

/// Returns the beginning of a text, of at most so many octets.
fn beginning(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}
