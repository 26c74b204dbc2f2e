//! The fields of an event or a span in a text log.
//!
//! They are escaped here, for all that is ever logged, and not at each call: a call that forgets it
//! cannot. A value that could be mistaken for several values or other fields is quoted, so that
//! `verdict="accept"` in a stranger's address is not read as the relay's word.

use std::fmt::{self, Debug};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

use super::hidden::shown;
use super::logging::names;
use gatepost_terminal::escape::{is_hidden, write_line};

/// Writes `message name=value name="a value"`.
#[derive(Debug, Default)]
pub(super) struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line {
            writer,
            first: true,
            written: Ok(()),
        };
        fields.record(&mut line);
        line.written
    }
}

struct Line<'writer> {
    writer: Writer<'writer>,
    first: bool,
    written: fmt::Result,
}

impl Line<'_> {
    /// Writes one field. A text is always quoted, another value if it is not a plain word.
    fn write(&mut self, field: &Field, value: &str, is_text: bool) -> fmt::Result {
        let value = &*shown(value, names());
        if !std::mem::replace(&mut self.first, false) {
            self.writer.write_char(' ')?;
        }
        let writer = &mut self.writer;
        if field.name() == "message" {
            return write_line(writer, value, true);
        }
        let name = field.name();
        match writer.has_ansi_escapes() {
            // Italic, and a faint equals sign.
            true => write!(writer, "\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m")?,
            false => write!(writer, "{name}=")?,
        }
        if !is_text && is_plain(value) {
            return writer.write_str(value);
        }
        writer.write_char('"')?;
        write_line(writer, value, true)?;
        writer.write_char('"')
    }
}

/// Returns true if a value is one word that needs no quotes.
fn is_plain(value: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !is_hidden(c) && !matches!(c, '"' | '\\' | '=');
    !value.is_empty() && value.chars().all(plain)
}

impl Visit for Line<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.written.is_ok() {
            self.written = self.write(field, value, true);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if self.written.is_ok() {
            self.written = self.write(field, &format!("{value:?}"), false);
        }
    }
}
