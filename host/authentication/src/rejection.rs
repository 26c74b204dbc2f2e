//! Why something does not pass: a result, and a sentence for people.

use crate::{Authentication, DkimFact, Unavailable};

/// The most characters of a reason: some quote what strangers wrote.
const LONGEST: usize = 200;

/// A result that is not `pass`, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) result: Authentication,
    pub(crate) reason: String,
}

impl Rejection {
    /// What was signed or published can never be checked (RFC 8601 section 2.7.1, `permerror`).
    pub(crate) fn malformed(reason: impl Into<String>) -> Self {
        Self::new(Authentication::PermError, reason)
    }

    /// It was checked and is wrong.
    pub(crate) fn fail(reason: impl Into<String>) -> Self {
        Self::new(Authentication::Fail, reason)
    }

    /// It is not accepted here, whether or not it would verify.
    pub(crate) fn policy(reason: impl Into<String>) -> Self {
        Self::new(Authentication::Policy, reason)
    }

    /// It could not be checked for now.
    pub(crate) fn temporary(reason: impl Into<String>) -> Self {
        Self::new(Authentication::TempError, reason)
    }

    /// The fact about a signature of which no more than `about` is known.
    pub(crate) fn of(self, about: DkimFact) -> DkimFact {
        DkimFact {
            result: self.result,
            reason: Some(self.reason),
            ..about
        }
    }

    fn new(result: Authentication, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        if let Some((end, _)) = reason.char_indices().nth(LONGEST) {
            reason.truncate(end);
        }
        Self { result, reason }
    }
}

impl From<Unavailable> for Rejection {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable.beyond_budget {
            true => Self::malformed(unavailable.to_string()),
            false => Self::temporary(unavailable.to_string()),
        }
    }
}
