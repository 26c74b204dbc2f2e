//! Limits on the questions that a stranger's record may cause (RFC 7208 section 4.6.4).

use super::evaluate::SpfError;

/// Limit on the terms that ask the DNS in one check: `include`, `a`, `mx`, `ptr`, `exists`,
/// `redirect`, of all records together.
pub(super) const MAX_TERMS: u8 = 10;
/// Limit on void look-ups: questions of terms that find no record or no name. Questions about the
/// exchanges that `mx` finds do not count: a domain whose exchanges have only IPv4 addresses would
/// otherwise fail every IPv6 client.
pub(super) const MAX_VOID: u8 = 2;
/// Limit on the exchanges of one `mx`, and on the names of one address.
pub(super) const MAX_NAMES: usize = 10;

/// Rest of the limits in one check.
#[derive(Debug)]
pub(super) struct LookUpLimits {
    terms: u8,
    void: u8,
}

impl LookUpLimits {
    pub(super) fn new() -> Self {
        Self {
            terms: MAX_TERMS,
            void: MAX_VOID,
        }
    }

    /// Counts a term that is about to ask the DNS.
    pub(super) fn count_term(&mut self) -> Result<(), SpfError> {
        self.terms = self.terms.checked_sub(1).ok_or(SpfError::TooManyTerms)?;
        Ok(())
    }

    /// Counts a void look-up.
    pub(super) fn count_void(&mut self) -> Result<(), SpfError> {
        self.void = self.void.checked_sub(1).ok_or(SpfError::TooManyVoid)?;
        Ok(())
    }
}
