//! Findings of policies in a transaction so far.

pub use gatepost_policy::Findings;
use gatepost_smtp::Reply;

use super::admission::Admission;
use crate::edits::verdict_fields;
use gatepost_config::Config;

/// Returns the findings before the first hook. Fields that only the relay writes are reserved from
/// then on.
pub fn initial_findings(config: &Config) -> Findings {
    Findings::reserving(verdict_fields::reserved(config))
}

impl Admission {
    /// Adds the judgements on a client, a sender or a recipient to the findings, and returns the
    /// refusal, if any. Effects are kept only where the answer was yes.
    pub fn add_to(self, findings: &mut Findings, account: Option<&str>) -> Option<Reply> {
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
