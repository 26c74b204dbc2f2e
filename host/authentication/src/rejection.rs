//! Rejections: results other than `pass`, each with a sentence for people.

use crate::{Authentication, DkimFact};
use gatepost_dns::Unavailable;

/// Length limit of a reason, in characters: some quote the text of strangers.
const MAX_REASON: usize = 200;

/// Result that is not `pass`, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) result: Authentication,
    pub(crate) reason: String,
}

impl Rejection {
    /// Makes a `permerror`: a malformed record or signature can never be checked (RFC 8601 section
    /// 2.7.1).
    pub(crate) fn malformed(reason: impl Into<String>) -> Self {
        Self::new(Authentication::Permerror, reason)
    }

    /// Makes a `fail`: the check was made and disproves the claim.
    pub(crate) fn fail(reason: impl Into<String>) -> Self {
        Self::new(Authentication::Fail, reason)
    }

    /// Makes a `policy`: not accepted by this relay, whether or not it would verify.
    pub(crate) fn policy(reason: impl Into<String>) -> Self {
        Self::new(Authentication::Policy, reason)
    }

    /// Makes a `temperror`: the check could not be made for now.
    pub(crate) fn temporary(reason: impl Into<String>) -> Self {
        Self::new(Authentication::Temperror, reason)
    }

    /// Adds the result and reason to the fact about a signature.
    pub(crate) fn of(self, about: DkimFact) -> DkimFact {
        DkimFact {
            result: self.result,
            reason: Some(self.reason),
            ..about
        }
    }

    fn new(result: Authentication, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        if let Some((end, _)) = reason.char_indices().nth(MAX_REASON) {
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
