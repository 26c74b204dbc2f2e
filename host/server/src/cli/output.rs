//! How answers and errors are printed. They hold what strangers have written, and what stands in
//! files, modules and arguments: what a terminal would not show, or would obey, is
//! [escaped](escape) here, for all that is ever printed. Nothing else in this crate prints: its
//! lints refuse `println!` and the like.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use gatepost_message::Millis;
use gatepost_spool::Fatal;
use serde::Serialize;

use crate::observability::escape;

/// Prints a text and a line end. When nobody reads any more, as behind `head`, that is no error.
///
/// # Errors
/// Standard output cannot be written to.
pub(crate) fn print(text: impl AsRef<str>) -> miette::Result<()> {
    write(&escape::lines(text.as_ref()))
}

/// Says something to an operator on standard error, beside the answer or instead of it.
pub(crate) fn complain(text: impl AsRef<str>) {
    // Who is not there to be told cannot be told that either.
    let _ = writeln!(io::stderr().lock(), "{}", escape::lines(text.as_ref()));
}

/// An error as a terminal may show it.
pub(super) fn error(report: &miette::Report) -> String {
    escape::lines(&format!("{report:?}"))
}

/// What clap says of arguments that it does not understand, as a terminal may show it.
pub(super) fn usage(error: &clap::Error) -> String {
    escape::lines(&error.render().to_string())
}

/// Ends the process where the store cannot be trusted any more, as [`Fatal`] does by default.
pub(crate) fn fatal() -> Fatal {
    Fatal::new(|what| {
        complain(Fatal::sentence(what));
        std::process::exit(74);
    })
}

fn write(text: &str) -> miette::Result<()> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(super::report),
    }
}

/// Prints each item as a line of JSON.
///
/// # Errors
/// Standard output cannot be written to.
pub(crate) fn print_json<T: Serialize>(items: impl IntoIterator<Item = T>) -> miette::Result<()> {
    for item in items {
        let line = serde_json::to_string(&item).map_err(super::report)?;
        write(&escape::json(&line))?;
    }
    Ok(())
}

/// A table of columns that are as wide as they need to be. What stands in a cell stays on its line.
pub(super) struct Table(comfy_table::Table);

impl Table {
    /// Adds a row of these cells.
    pub(super) fn add_row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells = cells.into_iter();
        self.0
            .add_row(cells.map(|cell| escape::line(cell.as_ref())));
    }
}

/// An empty table.
pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = comfy_table::Table::new();
    table.load_style(NOTHING).set_header(header);
    Table(table)
}

/// Prints a table; `nothing` if it has no rows.
///
/// # Errors
/// Standard output cannot be written to.
pub(super) fn print_table(Table(mut table): Table, nothing: &str) -> miette::Result<()> {
    if table.is_empty() {
        return print(nothing);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    print(table.trim_fmt())
}

/// A reply or reason on one line of a table.
pub(super) fn short(text: &str) -> String {
    const LONGEST: usize = 60;
    let one_line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= LONGEST {
        return one_line;
    }
    one_line.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// A size for people.
pub(super) fn size(octets: u64) -> String {
    bytesize::ByteSize(octets).to_string()
}

/// A time from now, in one unit.
pub(super) fn until(time: Millis) -> String {
    let wait = time.since(Millis::now()).as_secs();
    match wait {
        0 => "now".to_owned(),
        1..=119 => format!("in {wait} s"),
        120..=7199 => format!("in {} min", wait / 60),
        _ => format!("in {} h", wait / 3600),
    }
}

/// The beginning of a digest: enough to tell versions apart.
pub(super) fn digest(whole: &str) -> &str {
    whole.get(..12).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser as _;
    use proptest::prelude::*;

    use super::*;
    use crate::cli::Cli;
    use crate::config::Config;

    fn is_shown(text: &str) -> bool {
        !text
            .chars()
            .any(|c| escape::is_hidden(c) && c != '\n' && c != '\t')
    }

    const HOSTILE: &str =
        "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{200b}-\u{202e}\u{2066}-\u{2069}a\"'=\\[\\]#]{1,30}";

    proptest! {
        #[test]
        fn no_error_commands_a_terminal(hostile in HOSTILE, key in "[a-z]{1,9}") {
            crate::cli::set_up_errors();
            let path = format!("/etc/{hostile}.toml");
            for text in [
                hostile.clone(),
                format!("{key} = \"{hostile}\""),
                format!("\"{hostile}\" = 1"),
                format!("[relay]\nhostname = '{hostile}'"),
                format!("[[policy]]\nname = \"a\"\nfile = '{hostile}'\n# {hostile}\n{key} = 1"),
            ] {
                if let Err(error) = Config::parse(&text, Path::new(&path), Path::new("/")) {
                    let shown = super::error(&error.into());
                    prop_assert!(is_shown(&shown), "{}", shown.escape_debug());
                }
            }
            for arguments in [
                vec!["gatepost", &hostile],
                vec!["gatepost", "check", "--mail-from", &hostile, "x.eml"],
                vec!["gatepost", "policy", &hostile],
            ] {
                if let Err(error) = Cli::try_parse_from(arguments) {
                    let shown = usage(&error);
                    prop_assert!(is_shown(&shown), "{}", shown.escape_debug());
                }
            }
            let report = miette::miette!(help = hostile.clone(), "{hostile}");
            prop_assert!(is_shown(&super::error(&report.wrap_err(hostile.clone()))));
        }
    }
}
