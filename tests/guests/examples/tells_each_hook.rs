//! Has all hooks, and gives as its reason in each what it is told there.

use gatepost_sdk::*;

/// The policy.
pub struct TellsEachHook;

impl Policy for TellsEachHook {
    type Settings = hostile_guests::NoSettings;

    fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    fn connect(&self, session: &Session, _: &dyn Facts, decision: &mut Decision) -> Verdict {
        decision.reason(format!("connect to {}", session.listener));
        Verdict::Pass
    }

    fn sender(&self, of: &Transaction, _: &dyn Facts, decision: &mut Decision) -> Verdict {
        decision.reason(format!("sender {}", of.mail_from));
        Verdict::Pass
    }

    fn recipient(
        &self,
        of: &Transaction,
        recipient: &str,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        let before = of.recipients.len();
        decision.reason(format!("recipient {recipient} after {before} others"));
        Verdict::Pass
    }

    fn message(
        &self,
        of: &Transaction,
        message: &dyn Message,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        decision.reason(format!("message for {}", of.recipients.join(" ")));
        decision.tag("told");
        decision.add_header("X-Author", message.header("From").unwrap_or_default());
        Verdict::Pass
    }

    fn route(
        &self,
        _: &Transaction,
        attempt: &Attempt,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Routing {
        let (tags, author) = (queued::tags().join(" "), queued::header("X-Author"));
        decision.reason(format!(
            "route of {} after {} attempts, tagged {tags}, by {}",
            attempt.recipient,
            attempt.previous,
            author.unwrap_or_default()
        ));
        Routing::Pass
    }

    fn outcome(
        &self,
        _: &Transaction,
        result: &AttemptResult,
        _: &dyn Facts,
        decision: &mut Decision,
    ) {
        decision.reason(format!(
            "outcome {:?} for {}",
            result.ending, result.recipient
        ));
    }
}

gatepost_sdk::export!(TellsEachHook: connect, sender, recipient, message, route, outcome);
