//! Asks for as much as it may, and more: of what the local part of the reverse-path names, for each
//! recipient or at the end of data.

use gatepost_sdk::*;

/// The policy.
pub struct AsksMuch;

impl Policy for AsksMuch {
    type Settings = hostile_guests::NoSettings;

    fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    fn recipient(
        &self,
        of: &Transaction,
        recipient: &str,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        match asked(of) {
            "reasons" => {
                for n in 0..60 {
                    decision.reason(format!("{recipient} {n:03} {}", "x".repeat(950)));
                }
            }
            "effects" => {
                for n in 0..1000 {
                    decision.mark_seen(format!("{recipient} {n}"), 3600);
                }
            }
            "tags" => {
                for n in 0..20 {
                    decision.tag(format!("{}-{n}", recipient.split('@').next().unwrap_or("")));
                }
            }
            "protected" => {
                for n in 0..50 {
                    let name = recipient.split('@').next().unwrap_or("");
                    decision.protect_header(format!("X-{name}-{n}"));
                }
            }
            "edits" => {
                for n in 0..300 {
                    decision.add_header("X-Edit", n.to_string());
                }
            }
            "large-edits" => {
                for _ in 0..20 {
                    decision.add_header("X-Large", "x".repeat(900));
                }
            }
            "time" => loop {
                std::hint::black_box(());
            },
            _ => {}
        }
        Verdict::Pass
    }

    fn message(
        &self,
        of: &Transaction,
        _: &dyn Message,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        match asked(of) {
            "million" => {
                for n in 0..1_000_000 {
                    decision.mark_seen(n.to_string(), 3600);
                }
            }
            "grows" => {
                for _ in 0..20 {
                    decision.add_header("X-Large", "x".repeat(900));
                }
            }
            "removes" => decision.remove_header("X-Gone"),
            _ => {}
        }
        Verdict::Pass
    }
}

fn asked(of: &Transaction) -> &str {
    of.mail_from.split('@').next().unwrap_or_default()
}

gatepost_sdk::export!(AsksMuch: recipient, message);
