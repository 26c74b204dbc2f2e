//! A new version that is tried: well behaved but for messages that say how it is to misbehave, in the
//! header X-Candidate. `rejects`, `traps`, `slow` and `floods` are what the thresholds of a rollout
//! are for.

use gatepost_sdk::*;

/// The policy.
pub struct Candidate;

impl Policy for Candidate {
    type Settings = hostile_guests::NoSettings;

    fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    fn message(
        &self,
        _: &Transaction,
        message: &dyn Message,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        decision.reason("judged by version candidate");
        decision.add_header("X-Version", "candidate");
        match message.header("X-Candidate").as_deref() {
            Some("rejects") => Verdict::reject(550, "5.7.1", "The candidate does not like it"),
            Some("traps") => panic!("the candidate fails"),
            Some("slow") => {
                for number in 0..30_000_000_u32 {
                    std::hint::black_box(number);
                }
                Verdict::Pass
            }
            Some("floods") => {
                for _ in 0..10 {
                    facts.log(Level::Info, &"x".repeat(900));
                }
                Verdict::Pass
            }
            _ => Verdict::Pass,
        }
    }
}

gatepost_sdk::export!(Candidate: message);
