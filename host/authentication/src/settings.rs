//! What the site decides about gathering.

use std::time::Duration;

/// How facts are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// How much is done for one message.
    pub limits: Limits,
    /// What an organisation is to DMARC.
    pub boundary: Boundary,
    /// What a DKIM signature of a part of the body is worth.
    pub partial_body: PartialBody,
}

/// How much is done for one message. What lies beyond a limit is not proved: it never passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// DKIM signatures, from the top down; the others are not looked at. 8 by default.
    pub signatures: usize,
    /// Names in `h=` of one signature. 500 by default.
    pub signed_fields: usize,
    /// Keys looked up for DKIM and ARC together. 20 by default: a signature whose key is beyond
    /// it is `policy`, an ARC chain `fail`.
    pub keys: usize,
    /// Domains of authors that are judged. 5 by default: with more the message has no author that
    /// could be told (RFC 9989 section 11.5).
    pub authors: usize,
    /// Questions to the DNS by all methods together. 60 by default, of which up to half are kept
    /// for DMARC.
    pub questions: usize,
    /// Questions about the names of one organisation, those of DMARC apart. 20 by default.
    pub questions_of_one: usize,
    /// How long all look-ups may take together. 20 seconds by default. A question without an
    /// answer by then counts as unavailable.
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

/// How the organisational domain is found, within which identifiers are aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Boundary {
    /// By the DNS tree walk (RFC 9989 section 4.10).
    #[default]
    TreeWalk,
    /// By the public suffix list (RFC 7489 section 3.2), as it was when Gatepost was built.
    PublicSuffixList,
}

/// What a DKIM signature is worth that leaves out the end of the body (`l=`): anyone may have
/// written that end (RFC 6376 section 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PartialBody {
    /// Its result is `policy`.
    #[default]
    Refuse,
    /// It may pass.
    Accept,
}
