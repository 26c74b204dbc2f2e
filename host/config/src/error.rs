//! Problems of a configuration, each shown at its line.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use thiserror::Error;
use toml::de::{DeTable, DeValue};

use super::masked::masked;

/// Step from the root of the document towards a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Key of a table.
    Key(Cow<'static, str>),
    /// Item of an array, from 0.
    Item(usize),
}

/// Makes the steps to a value: `at!["listener", 0, "name"]`.
#[macro_export]
macro_rules! at {
    ($($step:expr),+) => { [$($crate::Step::from($step)),+] };
}

impl From<&'static str> for Step {
    fn from(key: &'static str) -> Self {
        Self::Key(Cow::Borrowed(key))
    }
}

impl From<&String> for Step {
    fn from(key: &String) -> Self {
        Self::Key(Cow::Owned(key.clone()))
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Item(index)
    }
}

/// Problem of a value, found after the text was read.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Place of the value in the document.
    pub at: Vec<Step>,
    /// Description of the problem.
    pub message: String,
    /// Advice on what to do.
    pub help: String,
}

/// Error of a configuration that cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    #[diagnostic(help("name the file with --config; the default is {DEFAULT_PATH}", DEFAULT_PATH = super::DEFAULT_PATH))]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The file has problems.
    #[error("{} has {}", path.display(), describe_count(problems))]
    Invalid {
        /// Path of the file.
        path: PathBuf,
        /// All problems; only one if the text cannot be parsed.
        #[related]
        problems: Vec<Problem>,
    },
}

/// Problem in the text of a configuration.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct Problem {
    message: String,
    help: Option<String>,
    source_code: NamedSource<String>,
    span: Option<Range<usize>>,
    line: Option<usize>,
}

impl Problem {
    fn new(
        message: String,
        help: Option<String>,
        span: Option<Range<usize>>,
        text: &str,
        path: &Path,
    ) -> Self {
        let line = span
            .as_ref()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count() + 1);
        Self {
            message,
            help,
            source_code: NamedSource::new(path.display().to_string(), masked(text)),
            span,
            line,
        }
    }

    /// Returns the advice on what to do.
    pub fn what_to_do(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Returns the line of the problem, from 1; `None` if it has no line, like a missing section.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span
            .as_ref()
            .map(|_| &self.source_code as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

impl ConfigError {
    pub(super) fn syntax(error: &toml::de::Error, text: &str, path: &Path) -> Self {
        let message = without_secret(error.message(), error.span(), text);
        let problem = Problem::new(message, None, error.span(), text, path);
        Self::Invalid {
            path: path.to_owned(),
            problems: vec![problem],
        }
    }

    pub(super) fn invalid(findings: Vec<Finding>, text: &str, path: &Path) -> Self {
        let document = DeTable::parse(text).ok();
        let problems = findings
            .into_iter()
            .map(|finding| {
                let span = document
                    .as_ref()
                    .and_then(|document| locate(document.get_ref(), &finding.at));
                Problem::new(finding.message, Some(finding.help), span, text, path)
            })
            .collect();
        Self::Invalid {
            path: path.to_owned(),
            problems,
        }
    }

    /// Returns the problems of the text; empty if the file could not be read.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Unreadable { .. } => &[],
            Self::Invalid { problems, .. } => problems,
        }
    }
}

/// Returns the message of an error, without the value if that is a secret: serde repeats a value of
/// the wrong type.
fn without_secret(message: &str, span: Option<Range<usize>>, text: &str) -> String {
    let is_secret = span.is_some_and(|span| text.get(span.clone()) != masked(text).get(span));
    let repeats = ["invalid type: ", "invalid value: ", "unknown variant "];
    if !is_secret || !repeats.iter().any(|begin| message.starts_with(begin)) {
        return message.to_owned();
    }
    match message.rsplit_once("expected ") {
        Some((_, expected)) => format!("this secret is written wrongly: expected {expected}"),
        None => "this secret is written wrongly".to_owned(),
    }
}

fn describe_count(problems: &[Problem]) -> String {
    match problems.len() {
        1 => "one problem".to_owned(),
        n => format!("{n} problems"),
    }
}

/// Returns the span of a value in the text. If the value is missing, the span of the deepest table
/// or array that should hold it.
fn locate(document: &DeTable<'_>, steps: &[Step]) -> Option<Range<usize>> {
    let mut value: Option<&toml::Spanned<DeValue<'_>>> = None;
    for step in steps {
        let inner = match (step, value.map(toml::Spanned::get_ref)) {
            (Step::Key(key), None) => document.get(&**key),
            (Step::Key(key), Some(DeValue::Table(table))) => table.get(&**key),
            (Step::Item(index), Some(DeValue::Array(items))) => items.get(*index),
            _ => None,
        };
        match inner {
            Some(inner) => value = Some(inner),
            None => break,
        }
    }
    value.map(toml::Spanned::span)
}
