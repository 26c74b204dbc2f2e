//! Prints text and JSON on standard output, and messages to the operator on standard error.

use std::io::{self, BufWriter, Stdout, Write};

use miette::IntoDiagnostic as _;
use serde::Serialize;

use crate::escape;

/// Prints a text and a line end. A closed pipe, as behind `head`, is no error.
///
/// # Errors
/// Standard output cannot be written to.
pub fn print(text: impl AsRef<str>) -> miette::Result<()> {
    print_line(&escape::lines(text.as_ref()))
}

/// Prints each item as a line of JSON.
///
/// # Errors
/// Standard output cannot be written to.
pub fn print_json<T: Serialize>(items: impl IntoIterator<Item = T>) -> miette::Result<()> {
    for item in items {
        let line = serde_json::to_string(&item).into_diagnostic()?;
        print_line(&escape::json(&line))?;
    }
    Ok(())
}

/// Prints a message to the operator on standard error.
pub fn complain(text: impl AsRef<str>) {
    // An error here has nowhere to be reported.
    let _ = writeln!(io::stderr().lock(), "{}", escape::lines(text.as_ref()));
}

fn print_line(text: &str) -> miette::Result<()> {
    let mut out = io::stdout().lock();
    unless_closed(writeln!(out, "{text}").and_then(|()| out.flush()))
}

fn unless_closed(written: io::Result<()>) -> miette::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.into_diagnostic(),
    }
}

/// Standard output for many results: what is printed is written when the buffer is full, when it is
/// flushed and when it is dropped. A closed pipe is no error.
#[derive(Debug)]
pub struct BufferedOutput(BufWriter<Stdout>);

impl Default for BufferedOutput {
    fn default() -> Self {
        Self(BufWriter::with_capacity(64 << 10, io::stdout()))
    }
}

impl BufferedOutput {
    /// Prints a text and a line end.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub fn print(&mut self, text: impl AsRef<str>) -> miette::Result<()> {
        unless_closed(writeln!(self.0, "{}", escape::lines(text.as_ref())))
    }

    /// Prints an item as a line of JSON.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub fn print_json<T: Serialize>(&mut self, item: &T) -> miette::Result<()> {
        let line = serde_json::to_string(item).into_diagnostic()?;
        unless_closed(writeln!(self.0, "{}", escape::json(&line)))
    }

    /// Writes what is in the buffer.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub fn flush(&mut self) -> miette::Result<()> {
        unless_closed(self.0.flush())
    }
}
