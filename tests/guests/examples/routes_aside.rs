//! A new version that has hooks for the delivery, too: it sends mail by the connection `aside` and hears
//! how the attempt ended.

use gatepost_sdk::*;

/// The policy.
pub struct RoutesAside;

impl Policy for RoutesAside {
    type Settings = hostile_guests::NoSettings;

    fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    fn duties() -> Duties {
        Duties {
            routes: true,
            ..Duties::default()
        }
    }

    fn message(
        &self,
        _: &Transaction,
        _: &dyn Message,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        decision.add_header("X-Version", "aside");
        Verdict::Pass
    }

    fn route(
        &self,
        _: &Transaction,
        _: &Attempt,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Routing {
        decision.reason("goes aside");
        Routing::Deliver(Plan::by_connection("aside"))
    }

    fn outcome(
        &self,
        _: &Transaction,
        result: &AttemptResult,
        _: &dyn Facts,
        decision: &mut Decision,
    ) {
        decision.reason(format!("came to {}", result.recipient));
    }
}

gatepost_sdk::export!(RoutesAside: message, route, outcome);
