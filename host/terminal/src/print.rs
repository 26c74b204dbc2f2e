//! Lines of text and of JSON on standard output, and complaints on standard error.

use std::io::{self, Write};

use miette::IntoDiagnostic as _;
use serde::Serialize;

use crate::escape;

/// Prints a text and a line end. If nobody reads any more, as behind `head`, that is no error.
///
/// # Errors
/// Standard output cannot be written to.
pub fn print(text: impl AsRef<str>) -> miette::Result<()> {
    write(&escape::lines(text.as_ref()))
}

/// Prints each item as a line of JSON.
///
/// # Errors
/// Standard output cannot be written to.
pub fn print_json<T: Serialize>(items: impl IntoIterator<Item = T>) -> miette::Result<()> {
    for item in items {
        let line = serde_json::to_string(&item).into_diagnostic()?;
        write(&escape::json(&line))?;
    }
    Ok(())
}

/// Says something to an operator on standard error, beside the answer or instead of it.
pub fn complain(text: impl AsRef<str>) {
    // Who is not there to be told cannot be told that either.
    let _ = writeln!(io::stderr().lock(), "{}", escape::lines(text.as_ref()));
}

fn write(text: &str) -> miette::Result<()> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.into_diagnostic(),
    }
}
