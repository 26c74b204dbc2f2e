//! How much a stranger's record may have us ask (RFC 7208 section 4.6.4).

use super::evaluate::Stop;

/// The most terms with questions of their own in one check: `include`, `a`, `mx`, `ptr`, `exists`,
/// `redirect`, over all records together.
const TERMS: u8 = 10;
/// The most questions of terms that are answered with nothing, or with no such name. Questions
/// about the exchanges that `mx` finds are part of its one: a domain whose exchanges have IPv4 alone
/// would otherwise fail every client with IPv6.
const VOID: u8 = 2;
/// The most exchanges of one `mx`, and the most names of one address.
pub(super) const NAMES: usize = 10;

/// What is left.
#[derive(Debug)]
pub(super) struct Limits {
    terms: u8,
    void: u8,
}

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            terms: TERMS,
            void: VOID,
        }
    }

    /// A term is about to ask.
    pub(super) fn term(&mut self) -> Result<(), Stop> {
        self.terms = self.terms.checked_sub(1).ok_or(Stop::TooManyTerms)?;
        Ok(())
    }

    /// It was answered with nothing.
    pub(super) fn void(&mut self) -> Result<(), Stop> {
        self.void = self.void.checked_sub(1).ok_or(Stop::TooManyVoid)?;
        Ok(())
    }
}
