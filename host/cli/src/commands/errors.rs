//! Errors as a command prints them: each text once.
//!
//! Many errors say their cause in their own text, since a log has one line for them. Where such an error is
//! printed with its causes, the same words would follow once more; they are left out here.

use std::error::Error;
use std::fmt::{self, Debug, Display, Formatter};

use miette::{Diagnostic, LabeledSpan, MietteHandler, ReportHandler, Severity, SourceCode};

/// Printer of errors.
pub(super) struct ErrorPrinter(pub(super) MietteHandler);

impl ReportHandler for ErrorPrinter {
    fn debug(&self, error: &dyn Diagnostic, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.debug(&SaidOnce::of(error), f)
    }
}

/// Error without the causes that its text has already.
struct SaidOnce<'a> {
    error: &'a dyn Diagnostic,
    cause: Option<NewCause>,
}

/// Cause that says something new.
#[derive(Debug)]
struct NewCause {
    text: String,
    next: Option<Box<NewCause>>,
}

impl<'a> SaidOnce<'a> {
    fn of(error: &'a dyn Diagnostic) -> Self {
        Self {
            cause: NewCause::after(&error.to_string(), error.source()),
            error,
        }
    }
}

impl NewCause {
    /// Returns the causes that this text, and then each other, do not say already.
    fn after(said: &str, mut source: Option<&(dyn Error + 'static)>) -> Option<Self> {
        while let Some(error) = source {
            let text = error.to_string();
            if !said.contains(&text) {
                let next = Self::after(&text, error.source()).map(Box::new);
                return Some(Self { text, next });
            }
            source = error.source();
        }
        None
    }
}

impl Display for NewCause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for NewCause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let next = self.next.as_deref()?;
        Some(next)
    }
}

impl Debug for SaidOnce<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.error, f)
    }
}

impl Display for SaidOnce<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.error, f)
    }
}

impl Error for SaidOnce<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause = self.cause.as_ref()?;
        Some(cause)
    }
}

impl Diagnostic for SaidOnce<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.error.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.error.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.error.help()
    }

    fn url<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.error.url()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.error.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.error.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        self.error.related()
    }

    fn diagnostic_source(&self) -> Option<&dyn Diagnostic> {
        self.error.diagnostic_source()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use miette::{IntoDiagnostic as _, WrapErr as _};

    use crate::commands::{output, set_up_errors};

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the folder: {source}")]
    struct SaysItsSource {
        source: io::Error,
    }

    #[test]
    fn a_cause_that_the_text_has_is_not_told_again() {
        set_up_errors();
        let missing = || io::Error::other("no such file");
        let error = SaysItsSource { source: missing() };
        let error: miette::Result<()> = Err(error).into_diagnostic();
        let shown = output::error(&error.unwrap_err());
        assert_eq!(shown.matches("no such file").count(), 1, "{shown}");

        // Also where the error is itself a cause.
        let error = SaysItsSource { source: missing() };
        let error: miette::Result<()> = Err(error).into_diagnostic().wrap_err("cannot compare");
        let shown = output::error(&error.unwrap_err());
        assert!(shown.contains("cannot compare"), "{shown}");
        assert_eq!(shown.matches("no such file").count(), 1, "{shown}");

        // What is new is told.
        let error: miette::Result<()> = Err(missing()).into_diagnostic().wrap_err("cannot compare");
        let shown = output::error(&error.unwrap_err());
        assert!(
            shown.contains("cannot compare") && shown.contains("no such file"),
            "{shown}"
        );
    }
}
