//! Routing by the sender's domain: mail of a customer's domain leaves through the customer's own
//! smart host.
//!
//! Only mail that the application submits is routed: a message that comes in from a customer's
//! address is on its way to the application, not back to the customer. A null reverse-path belongs
//! to no domain and never uses a customer's smart host; it takes the relay's default route.

mod settings;

pub use settings::{Route, Settings};

use gatepost_sdk::{Attempt, Decision, Facts, Flow, Policy, Routing, Transaction};

/// The policy.
pub struct OutboundRoute {
    /// Routes sorted by domain.
    routes: Vec<Route>,
}

impl Policy for OutboundRoute {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut routes = settings.routes;
        for route in &mut routes {
            route.domain.make_ascii_lowercase();
        }
        routes.sort_by(|a, b| a.domain.cmp(&b.domain));
        Ok(Self { routes })
    }

    fn route(
        &self,
        transaction: &Transaction,
        _: &Attempt,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Routing {
        if transaction.session.flow != Flow::Submission {
            return Routing::Pass;
        }
        let Some((_, domain)) = transaction.mail_from.rsplit_once('@') else {
            return Routing::Pass;
        };
        let domain = domain.to_ascii_lowercase();
        match self
            .routes
            .binary_search_by(|route| route.domain.as_str().cmp(&domain))
        {
            Ok(index) => {
                let hop = self.routes[index].next_hop.clone();
                decision.reason(format!(
                    "mail of {domain} leaves through {}:{}",
                    hop.host, hop.port
                ));
                Routing::NextHop(hop)
            }
            Err(_) => Routing::Pass,
        }
    }
}

gatepost_sdk::export!(OutboundRoute: route);
