//! Record of the session's [repairs](gatepost_message::Repairs) to a message.
//!
//! It stands beside the judgements of policies, under the name [`BY_RELAY`]: in the trace, in the
//! queue, in `gatepost check`, and in the field with the reasons.
//!
//! Metrics: `gatepost_messages_repaired_total{kind}`, kind being `line-ends`, `nul` or
//! `opening`.

use gatepost_message::Repairs;
use gatepost_model::{BY_RELAY, Decision, Judgement, Verdict};
use gatepost_policy::Findings;

/// Adds the repairs to the findings, and counts them.
pub fn note(repairs: &Repairs, findings: &mut Findings) {
    for (kind, found) in [
        (
            "line-ends",
            repairs.bare_lf + repairs.bare_cr + repairs.doubled_cr > 0,
        ),
        ("nul", repairs.nul > 0),
        ("opening", repairs.byte_order_marks + repairs.mbox_lines > 0),
    ] {
        if found {
            metrics::counter!("gatepost_messages_repaired_total", "kind" => kind).increment(1);
        }
    }
    findings.judgements.push(Judgement {
        policy: BY_RELAY.to_owned(),
        // No module is behind it.
        digest: String::new(),
        hook: "data".to_owned(),
        verdict: Verdict::Pass,
        routing: None,
        decision: Decision {
            reasons: repairs.reasons(),
            ..Decision::default()
        },
        micros: 0,
        error: None,
    });
}
