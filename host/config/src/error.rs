//! What is wrong with a configuration, shown at the line where it is.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use thiserror::Error;
use toml::de::{DeTable, DeValue};

/// A step from the root of the document towards a value.
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

/// A configuration that cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    #[diagnostic(help("name the file with --config; the default is {DEFAULT_PATH}", DEFAULT_PATH = super::DEFAULT_PATH))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file can be read, and is wrong.
    #[error("{} has {}", path.display(), count(problems))]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Each of them; one only where the text could not be understood at all.
        #[related]
        problems: Vec<Problem>,
    },
}

/// One thing that is wrong with the text of a configuration.
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
            source_code: NamedSource::new(path.display().to_string(), text.to_owned()),
            span,
            line,
        }
    }

    /// What to do about it.
    pub fn what_to_do(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The line that it is on, from 1; `None` when it is on no line, as something missing is.
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
        let problem = Problem::new(error.message().to_owned(), None, error.span(), text, path);
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

    /// What is wrong with the text; empty when it could not be read.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Unreadable { .. } => &[],
            Self::Invalid { problems, .. } => problems,
        }
    }
}

fn count(problems: &[Problem]) -> String {
    match problems.len() {
        1 => "one problem".to_owned(),
        n => format!("{n} problems"),
    }
}

/// Where a value stands in the text: the deepest step that is there, so that a missing key is
/// shown at the table that lacks it.
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
