//! The site's settings for message authentication.

use std::time::Duration;

/// Settings of gathering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Limits on the work for one message.
    pub limits: Limits,
    /// Method by which DMARC finds the organisational domain.
    pub boundary: Boundary,
    /// Treatment of a DKIM signature of a part of the body.
    pub partial_body: PartialBody,
}

/// Limits on the work for one message. What lies beyond a limit is not proved: it never passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Number of DKIM signatures that are checked, from the top down. 8 by default.
    pub signatures: usize,
    /// Number of names in `h=` of one signature. 500 by default.
    pub signed_fields: usize,
    /// Number of keys looked up for DKIM and ARC together. 20 by default: a signature whose key is
    /// beyond it is `policy`, an ARC chain `fail`.
    pub keys: usize,
    /// Number of authors' domains that are judged. 5 by default: with more, From is unreadable (RFC
    /// 9989 section 11.5).
    pub authors: usize,
    /// Number of DNS questions of all methods together. 60 by default, of which up to half are
    /// reserved for DMARC.
    pub questions: usize,
    /// Number of questions about the names of one organisation, without those of DMARC. 20 by
    /// default.
    pub questions_of_one: usize,
    /// Time limit of all look-ups together. 20 seconds by default. A question without an answer by
    /// then counts as unavailable.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            signatures: 8,
            signed_fields: 500,
            keys: 20,
            authors: 5,
            questions: 60,
            questions_of_one: 20,
            time: Duration::from_secs(20),
        }
    }
}

/// Method by which the organisational domain is found. Relaxed alignment is agreement of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Boundary {
    /// DNS tree walk (RFC 9989 section 4.10).
    #[default]
    TreeWalk,
    /// Public suffix list (RFC 7489 section 3.2), as it was when Gatepost was built.
    PublicSuffixList,
}

/// Treatment of a DKIM signature that leaves out the end of the body (`l=`): anyone may have
/// written that end (RFC 6376 section 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PartialBody {
    /// Result `policy`.
    #[default]
    Refuse,
    /// Verification as any other: it may pass.
    Accept,
}
