//! Reasons why there is no certificate.

use std::io;
use std::path::PathBuf;

use gatepost_certificates::TrustError;
use gatepost_http_client::TlsError;

/// Longest text of the authority that is repeated, in characters.
const SAID: usize = 500;

/// Reason why a certificate cannot be had or used.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The roots for the directory cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The TLS library refuses its own defaults, or a key that was made for it.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] TlsError),
    /// A file of the store cannot be read or written.
    #[error("cannot use {}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// Nobody answers at the authority, or not in time.
    #[error("cannot reach the certificate authority: {0}")]
    Unreachable(String),
    /// The authority refuses, or fails.
    #[error("the certificate authority refuses: {said}")]
    Refused {
        /// Its words, bounded.
        said: String,
        /// Type of the problem, such as `urn:ietf:params:acme:error:rateLimited`.
        problem: Option<String>,
    },
    /// A name was not proved.
    #[error("the certificate authority could not validate {name}: {said}")]
    NotValidated {
        /// The name.
        name: String,
        /// Words of the authority, bounded.
        said: String,
    },
    /// The authority takes no proof of the configured kind.
    #[error(
        "the certificate authority takes no {kind} for {name}; set another challenge in [acme]"
    )]
    NoChallenge {
        /// The name.
        name: String,
        /// Kind as it is configured.
        kind: &'static str,
    },
    /// The authority answers something that is not ACME, or not to the question.
    #[error("the certificate authority answers against the protocol: {0}")]
    Protocol(String),
    /// The certificate is not for the key and the names that were asked for.
    #[error("the certificate cannot be used: {0}")]
    Unusable(String),
    /// A key or a request could not be made.
    #[error("cannot make the request for a certificate: {0}")]
    Request(#[from] rcgen::Error),
    /// The order took too long.
    #[error("the certificate authority did not finish the order in time")]
    TooLong,
}

impl AcmeError {
    /// Makes the error of a problem that the authority tells.
    pub(crate) fn refused(problem: &instant_acme::Problem) -> Self {
        Self::Refused {
            said: bounded(&problem.to_string()),
            problem: problem.r#type.as_deref().map(bounded),
        }
    }

    /// Returns true if a file of the store is there, and makes no sense.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::InvalidData)
    }

    /// Returns true if the authority was asked for nothing that it counts.
    pub(crate) fn is_of_the_way(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }

    /// Returns true if the authority says that it is asked too often.
    pub(crate) fn is_rate_limited(&self) -> bool {
        self.has_type("rateLimited")
    }

    /// Returns true if the authority does not know the account any more.
    pub(crate) fn is_of_the_account(&self) -> bool {
        self.has_type("accountDoesNotExist")
    }

    fn has_type(&self, of: &str) -> bool {
        let Self::Refused { problem, .. } = self else {
            return false;
        };
        let problem = problem.as_deref();
        problem.and_then(|problem| problem.strip_prefix("urn:ietf:params:acme:error:")) == Some(of)
    }
}

impl From<instant_acme::Error> for AcmeError {
    fn from(error: instant_acme::Error) -> Self {
        use instant_acme::Error;
        match error {
            Error::Api(problem) => Self::refused(&problem),
            Error::Other(error) => match error.downcast::<Self>() {
                Ok(error) => *error,
                Err(error) => Self::Protocol(bounded(&error.to_string())),
            },
            Error::Timeout(_) => Self::TooLong,
            other => Self::Protocol(bounded(&other.to_string())),
        }
    }
}

/// Returns the beginning of a text of the authority.
pub(crate) fn bounded(text: &str) -> String {
    text.chars().take(SAID).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_s_words_are_bounded_and_its_types_known() {
        let problem = serde_json::json!({
            "type": "urn:ietf:params:acme:error:rateLimited", "detail": "x".repeat(10_000),
        });
        let problem: instant_acme::Problem = serde_json::from_value(problem).unwrap();
        let error = AcmeError::from(instant_acme::Error::Api(problem));
        assert!(error.is_rate_limited() && !error.is_of_the_account());
        assert!(error.to_string().chars().count() < 600);
    }
}
