//! Asks for the maximum, and more, of the kind that the local part of the reverse-path names, for
//! each recipient or at the end of data. It calls the relay directly, past the SDK, which would cut
//! it.

use gatepost_sdk::*;

/// The policy.
pub struct AsksMuch;

impl Policy for AsksMuch {
    type Settings = hostile_guests::NoSettings;

    fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }
}

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, missing_docs)]
mod exports {
    use gatepost_sdk::bindings::configured::exports::gatepost::policy::settings;
    use gatepost_sdk::bindings::{configured, message, recipient};
    use gatepost_sdk::glue::{HostDecision as Decision, MessageHandle as Message};
    use gatepost_sdk::{Transaction, Verdict};

    use super::AsksMuch;

    struct Guest;

    impl settings::Guest for Guest {
        fn schema() -> String {
            gatepost_sdk::glue::schema::<AsksMuch>()
        }

        fn configure(_: String) -> Result<(), Vec<String>> {
            Ok(())
        }

        fn answers_for() -> settings::Duties {
            gatepost_sdk::glue::duties::<AsksMuch>()
        }
    }

    impl recipient::exports::gatepost::policy::recipient::Guest for Guest {
        fn on_recipient(of: Transaction, recipient: String, decision: &Decision) -> Verdict {
            let local = recipient.split('@').next().unwrap_or("");
            match asked(&of) {
                "reasons" => {
                    for n in 0..60 {
                        decision.reason(&format!("{recipient} {n:03} {}", "x".repeat(950)));
                    }
                }
                "effects" => {
                    for n in 0..1000 {
                        decision.mark_seen(&format!("{recipient} {n}"), 3600);
                    }
                }
                "tags" => {
                    for n in 0..20 {
                        decision.tag(&format!("{local}-{n}"));
                    }
                }
                "protected" => {
                    for n in 0..50 {
                        decision.protect_header(&format!("X-{local}-{n}"));
                    }
                }
                "edits" => {
                    for n in 0..300 {
                        decision.add_header("X-Edit", &n.to_string());
                    }
                }
                "large-edits" => large_edits(decision),
                "time" => loop {
                    std::hint::black_box(());
                },
                _ => {}
            }
            Verdict::Pass
        }
    }

    impl message::exports::gatepost::policy::message::Guest for Guest {
        fn on_message(of: Transaction, _: &Message, decision: &Decision) -> Verdict {
            match asked(&of) {
                "million" => {
                    for n in 0..1_000_000 {
                        decision.mark_seen(&n.to_string(), 3600);
                    }
                }
                "grows" => large_edits(decision),
                "removes" => decision.remove_header("X-Gone"),
                _ => {}
            }
            Verdict::Pass
        }
    }

    fn large_edits(decision: &Decision) {
        for _ in 0..20 {
            decision.add_header("X-Large", &"x".repeat(900));
        }
    }

    fn asked(of: &Transaction) -> &str {
        of.mail_from.split('@').next().unwrap_or_default()
    }

    configured::__export_settings!(Guest with_types_in configured);
    recipient::__export_recipient!(Guest with_types_in recipient);
    message::__export_message!(Guest with_types_in message);
}
