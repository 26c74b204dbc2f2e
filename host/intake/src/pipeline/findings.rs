//! What policies have said of a transaction so far.

pub use gatepost_policy::Findings;
use gatepost_smtp::Reply;

use super::admission::Admission;
use crate::edits::verdict_fields;
use gatepost_config::Config;

/// Findings before the first hook. What only the relay writes is no policy's to edit from then on.
pub fn none_yet(config: &Config) -> Findings {
    Findings::reserving(verdict_fields::reserved(config))
}

impl Admission {
    /// Adds what was said of a client, a sender or a recipient to the findings, and gives the
    /// refusal, if it is one: what a policy wanted to happen happens only where the answer was yes.
    pub fn noted(self, findings: &mut Findings, account: Option<&str>) -> Option<Reply> {
        let Self {
            refusal,
            judgements,
        } = self;
        match refusal {
            Some(_) => findings.note(judgements),
            None => findings.add(judgements, account),
        }
        refusal
    }
}
