//! Answers of the operator, asked on the terminal.

use std::io::{self, BufRead as _, Write as _};
use std::str::FromStr;

use super::going_on::GoingOn;
use crate::commands::output;

/// Longest line that is read.
const LONGEST: u64 = 4096;

/// Answers of the operator. Questions go to standard error, so that what is printed is the result
/// alone.
pub(super) struct Answers {
    /// True if nothing is asked: every question has its default, or none.
    quiet: bool,
    /// True once the input has ended.
    ended: bool,
    going_on: GoingOn,
}

impl Answers {
    pub(super) fn new(quiet: bool, going_on: GoingOn) -> Self {
        Self {
            quiet,
            ended: false,
            going_on,
        }
    }

    /// Makes answers of which each question has its default, or none.
    pub(super) fn nobody() -> Self {
        Self::new(true, GoingOn::default())
    }

    /// Returns true if questions are asked.
    pub(super) fn are_asked(&self) -> bool {
        !self.quiet
    }

    /// Returns true if nobody answers any more.
    pub(super) fn have_ended(&self) -> bool {
        self.ended || self.quiet
    }

    /// Asks a question and reads a line.
    fn ask(&mut self, question: &str) -> miette::Result<String> {
        match ask(question)? {
            Some(line) => Ok(line),
            None => {
                self.ended = true;
                Err(miette::miette!(
                    help = self.going_on.in_words(),
                    "the input has ended"
                ))
            }
        }
    }

    /// Asks for a value until the answer can be read; `None` for an empty answer, and where nothing
    /// is asked.
    ///
    /// # Errors
    /// The input has ended.
    pub(super) fn optional<T>(&mut self, question: &str) -> miette::Result<Option<T>>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        if self.quiet {
            return Ok(None);
        }
        loop {
            let line = self.ask(question)?;
            if line.is_empty() {
                return Ok(None);
            }
            match line.parse() {
                Ok(value) => return Ok(Some(value)),
                Err(error) => output::complain(error.to_string()),
            }
        }
    }

    /// Asks for a value that has to be given.
    ///
    /// # Errors
    /// The input has ended, or nothing is asked; then `option` could have given it.
    pub(super) fn needed<T>(&mut self, question: &str, option: &str) -> miette::Result<T>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        loop {
            if let Some(value) = self.optional(question)? {
                return Ok(value);
            }
            if self.quiet {
                return Err(miette::miette!(
                    help = format!("give it with {option}, or leave out --yes"),
                    "{option} is needed"
                ));
            }
        }
    }

    /// Asks for a yes or no. An empty answer means the default; where nothing is asked, the answer
    /// is `quiet`.
    ///
    /// # Errors
    /// The input has ended.
    pub(super) fn agrees(
        &mut self,
        question: &str,
        default: bool,
        quiet: bool,
    ) -> miette::Result<bool> {
        if self.quiet {
            return Ok(quiet);
        }
        let choices = if default { "[Y/n]" } else { "[y/N]" };
        loop {
            match self
                .ask(&format!("{question} {choices}"))?
                .to_lowercase()
                .as_str()
            {
                "" => return Ok(default),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => output::complain("answer y or n"),
            }
        }
    }
}

/// Asks a question and reads a line; `None` if the input has ended.
fn ask(question: &str) -> miette::Result<Option<String>> {
    let mut out = io::stderr().lock();
    let question = gatepost_terminal::escape::line(question);
    // Without a reader of the question there may still be one who answers.
    let _ = write!(out, "{question} ").and_then(|()| out.flush());
    let mut line = String::new();
    let mut input = io::Read::take(io::stdin().lock(), LONGEST);
    let read = input.read_line(&mut line).map_err(super::super::report)?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}
