//! A failed verification, with all that a person needs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{FailureReason, QuotedWords};

/// Failure of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct VerificationFailure {
    /// Reason.
    pub reason: FailureReason,
    /// Detail, such as the field, the domain or the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<QuotedWords>,
    /// Words of the server, to be quoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<QuotedWords>,
    /// Advice: what to do.
    pub advice: String,
}

impl VerificationFailure {
    /// Returns true if a server has said this for now only (RFC 5321 section 4.2.1).
    pub fn is_temporary(&self) -> bool {
        let said = self.server.as_ref().map(ToString::to_string);
        said.is_some_and(|said| {
            let code = said.as_bytes().get(..4).unwrap_or_default();
            code.starts_with(b"4") && code.ends_with(b" ")
        })
    }

    /// Makes a failure of which nothing more is known.
    pub fn of(reason: FailureReason) -> Self {
        Self {
            reason,
            detail: None,
            server: None,
            advice: reason.advice().to_owned(),
        }
    }

    /// Adds a detail.
    pub fn with_detail(mut self, detail: &str) -> Self {
        self.detail = QuotedWords::of(detail);
        self
    }

    /// Adds the words of the server.
    pub fn with_server(mut self, said: &str) -> Self {
        self.server = QuotedWords::of(said);
        self
    }

    /// Replaces the advice by that of the service's profile.
    pub fn with_advice(mut self, advice: &str) -> Self {
        advice.clone_into(&mut self.advice);
        self
    }
}

/// Writes the title, the detail and the server's words, without the advice.
impl fmt::Display for VerificationFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.title())?;
        if let Some(detail) = &self.detail {
            write!(f, " ({detail})")?;
        }
        if let Some(server) = &self.server {
            write!(f, "; your server says: \"{server}\"")?;
        }
        Ok(())
    }
}
