//! Tables, errors and short forms for the terminal.

use std::error::Error;
use std::io::{self, IsTerminal as _};
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseIntError};

use comfy_table::presets::NOTHING;
use gatepost_message::Millis;
use gatepost_terminal::escape;
pub(crate) use gatepost_terminal::{complain, print, print_json};

/// Returns an error, escaped for a terminal.
pub(super) fn error(report: &miette::Report) -> String {
    escape::lines(&format!("{report:?}"))
}

/// Returns the error of clap about arguments, escaped for a terminal.
pub(super) fn usage(error: &clap::Error) -> String {
    let mut text = error.render().to_string();
    if let Some(source) = error.source()
        && let Some(words) = words_of(source)
    {
        text = text.replacen(&format!(": {source}"), &format!(": {words}"), 1);
    }
    escape::lines(&text)
}

/// Returns what to write in place of a value that Rust itself could not parse: its own words are for
/// programmers.
fn words_of(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(error) = error.downcast_ref::<ParseIntError>() {
        return Some(match error.kind() {
            IntErrorKind::PosOverflow => "the number is too large",
            IntErrorKind::NegOverflow => "the number is too small",
            _ => "write a whole number in digits, such as 10",
        });
    }
    if error.is::<ipnet::AddrParseError>() {
        return Some("write a network, such as 192.0.2.0/24 or 2001:db8::/32");
    }
    error.is::<AddrParseError>().then(|| {
        // One type of error is for both kinds.
        match error.to_string().contains("socket") {
            true => "write an IP address and a port, such as 127.0.0.1:2525",
            false => "write an IP address, such as 192.0.2.1 or 2001:db8::1",
        }
    })
}

/// Table of columns that are as wide as needed. Line ends in a cell are escaped.
pub(crate) struct Table(comfy_table::Table);

impl Table {
    /// Adds a row of these cells.
    pub(crate) fn add_row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells = cells.into_iter();
        self.0
            .add_row(cells.map(|cell| escape::line(cell.as_ref())));
    }
}

/// Makes an empty table.
pub(crate) fn table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = comfy_table::Table::new();
    table.load_style(NOTHING).set_header(header);
    Table(table)
}

/// Prints a table, or `nothing` if it has no rows.
///
/// # Errors
/// Standard output cannot be written to.
pub(super) fn print_table(table: Table, nothing: &str) -> miette::Result<()> {
    match table.0.is_empty() {
        true => print(nothing),
        false => print(in_text(table)),
    }
}

/// Returns a table as text.
pub(crate) fn in_text(Table(mut table): Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    table.trim_fmt()
}

/// Shortens a reply or reason for a cell of a table.
pub(super) fn shorten(text: &str) -> String {
    const MAX_LENGTH: usize = 60;
    let one_line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= MAX_LENGTH {
        return one_line;
    }
    one_line.chars().take(MAX_LENGTH - 1).chain(['…']).collect()
}

/// Returns a size for people.
pub(crate) fn size(bytes: u64) -> String {
    bytesize::ByteSize(bytes).to_string()
}

/// Returns the time until then, in one unit.
pub(super) fn time_until(time: Millis) -> String {
    let wait = time.since(Millis::now()).as_secs();
    match wait {
        0 => "now".to_owned(),
        1..=119 => format!("in {wait} s"),
        120..=7199 => format!("in {} min", wait / 60),
        _ => format!("in {} h", wait / 3600),
    }
}

/// Returns the number of columns to write for: those of the terminal, or 100 where standard output is none.
pub(crate) fn width() -> usize {
    /// Columns of a file or a pipe.
    const NO_TERMINAL: usize = 100;
    let out = io::stdout();
    let size = out
        .is_terminal()
        .then(|| terminal_size::terminal_size_of(&out));
    size.flatten()
        .map_or(NO_TERMINAL, |(width, _)| usize::from(width.0))
}

/// Returns the beginning of a digest: enough to tell versions apart.
pub(crate) fn digest(whole: &str) -> &str {
    whole.get(..12).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser as _;
    use proptest::prelude::*;

    use super::*;
    use crate::commands::Cli;
    use gatepost_config::Config;

    fn is_shown(text: &str) -> bool {
        !text
            .chars()
            .any(|c| escape::is_hidden(c) && c != '\n' && c != '\t')
    }

    const HOSTILE: &str =
        "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{200b}-\u{202e}\u{2066}-\u{2069}a\"'=\\[\\]#]{1,30}";

    #[test]
    fn errors_of_arguments_are_not_in_the_words_of_rust() {
        const OF_RUST: [&str; 5] = ["invalid digit", "target type", "syntax", "utf", "os error"];
        for (arguments, words) in [
            ("queue list --limit abc", "write a whole number"),
            ("queue list --limit 99999999999999999999999", "too large"),
            ("sink --listen here", "an IP address and a port"),
            ("sink --tempfail-first x", "write a whole number"),
            (
                "connection add x --account a --port abc",
                "a number from 1 to 65535",
            ),
            (
                "connection add x --account a --port 99999",
                "a number from 1 to 65535",
            ),
            (
                "connection set x --account a --port 0",
                "a number from 1 to 65535",
            ),
            (
                "connector setup --smart-host-port abc",
                "a number from 1 to 65535",
            ),
            ("connector forwarders a.test --network x", "write a network"),
            ("connector progress acme", "is named by its domain"),
        ] {
            let all = ["gatepost"].into_iter().chain(arguments.split(' '));
            let shown = usage(&Cli::try_parse_from(all).unwrap_err());
            assert!(shown.contains(words), "{arguments}: {shown}");
            for of_rust in OF_RUST {
                assert!(!shown.contains(of_rust), "{arguments}: {shown}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_error_commands_a_terminal(hostile in HOSTILE, key in "[a-z]{1,9}") {
            crate::commands::set_up_errors();
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
