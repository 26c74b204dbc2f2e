//! Routing by sender, recipient, account, class, tag and hour: mail of a customer leaves by the
//! customer's own connection, other mail by MX, and incoming mail goes to the application.
//!
//! The first route whose conditions all hold decides. Unless a route says otherwise, it is for mail
//! that the application submits: a message that comes in from a customer's address is on its way to
//! the application, not back to the customer. A null reverse-path belongs to no domain and never
//! uses a customer's connection; it takes the relay's default route.

mod conditions;
mod settings;

pub use settings::{By, Hours, MailDirection, Patience, Route, Settings, Step, Weighted};

use std::collections::BTreeMap;

use gatepost_sdk::{
    Attempt, Decision, Duties, Facts, Flow, Plan, Policy, Routing, Transaction, Way,
    choose_by_weight, queued,
};

use self::conditions::Mail;

/// Seconds of an hour.
const HOUR: u64 = 3600;

/// The policy.
pub struct OutboundRoute {
    routes: Vec<Route>,
    /// Positions of the routes that are for one domain of the reverse-path, by that domain.
    of_domain: BTreeMap<String, Vec<usize>>,
    /// Positions of the other routes.
    of_any: Vec<usize>,
    /// True if a route depends on the hour.
    by_hour: bool,
}

impl Policy for OutboundRoute {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut routes = settings.routes;
        routes.iter_mut().for_each(Route::lower_case);
        let mut of_domain: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut of_any = Vec::new();
        for (at, route) in routes.iter().enumerate() {
            match &route.domain {
                Some(domain) => of_domain.entry(domain.clone()).or_default().push(at),
                None => of_any.push(at),
            }
        }
        Ok(Self {
            by_hour: routes.iter().any(|route| route.hours.is_some()),
            routes,
            of_domain,
            of_any,
        })
    }

    fn duties() -> Duties {
        Duties {
            routes: true,
            ..Duties::default()
        }
    }

    fn route(
        &self,
        transaction: &Transaction,
        attempt: &Attempt,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Routing {
        let direction = match transaction.session.flow {
            Flow::Inbound => MailDirection::Inbound,
            Flow::Submission => MailDirection::Submission,
            Flow::Internal | Flow::Other => return Routing::Pass,
        };
        let Some(mail) = Mail::of(direction, transaction, &attempt.recipient) else {
            return Routing::Pass;
        };
        let of_domain = self.of_domain.get(mail.sender_domain());
        let of_domain = of_domain.map_or(&[][..], Vec::as_slice);
        let mut candidates: Vec<usize> = of_domain.iter().chain(&self.of_any).copied().collect();
        candidates.sort_unstable();
        let mut candidates = candidates.into_iter().filter_map(|at| self.routes.get(at));
        match candidates.find(|route| mail.fits(route)) {
            Some(route) => self.follow(route, transaction, &mail, decision),
            None => Routing::Pass,
        }
    }
}

impl OutboundRoute {
    fn follow(
        &self,
        route: &Route,
        transaction: &Transaction,
        mail: &Mail<'_>,
        decision: &mut Decision,
    ) -> Routing {
        if let Some(reason) = &route.hold {
            decision.reason(reason);
            return Routing::Hold(reason.clone());
        }
        let weighted: Vec<_> = (route.among.iter())
            .map(|weighted| (&weighted.by, weighted.weight))
            .collect();
        let chosen = choose_by_weight(&transaction.id, &weighted).copied();
        let next_hop = route.next_hop.clone().map(Way::NextHop);
        let by = route.by.as_ref().or(chosen).map(|by| way(by, transaction));
        let Some(way_out) = next_hop.or(by) else {
            return Routing::Pass;
        };
        let through = match &way_out {
            Way::NextHop(hop) => format!("through {}:{}", hop.host, hop.port),
            other => format!("by {other}"),
        };
        let verb = match route.direction {
            MailDirection::Submission => "leaves",
            MailDirection::Inbound => "goes",
        };
        decision.reason(format!("mail of {} {verb} {through}", mail.sender_domain()));
        Routing::Deliver(self.plan(route, way_out, transaction))
    }

    fn plan(&self, route: &Route, first: Way, transaction: &Transaction) -> Plan {
        let mut plan = of_step(Plan::by(first), route.go_on_after, route.egress.as_ref());
        for step in &route.then {
            let longer = plan.then(way(&step.by, transaction));
            plan = of_step(longer, step.go_on_after, step.egress.as_ref());
        }
        plan.send_as = route.send_as.clone();
        plan.expire_after = route.expire_after;
        plan.holds_for = route.holds_for;
        if self.by_hour {
            // At the next full hour another route may fit.
            let second = queued::attempt_time() / 1000 % HOUR;
            let rest = u32::try_from(HOUR - second).unwrap_or(u32::MAX);
            plan.holds_for = Some(plan.holds_for.map_or(rest, |held| held.min(rest)));
        }
        plan
    }
}

/// Sets condition and pool of the step added last.
fn of_step(mut plan: Plan, go_on: Option<Patience>, egress: Option<&String>) -> Plan {
    if let Some(Patience { failures, seconds }) = go_on {
        plan = plan.go_on_after(failures, seconds);
    }
    match egress {
        Some(pool) => plan.egress(pool),
        None => plan,
    }
}

fn way(by: &By, transaction: &Transaction) -> Way {
    match by.clone() {
        By::Connection(name) => Way::Connection(name),
        By::ConnectionOfSender => Way::ConnectionOf(transaction.mail_from.clone()),
        By::Mx => Way::Mx,
        By::Inside => Way::Inside,
        By::Lmtp(name) => Way::Lmtp(name),
        By::Http(name) => Way::Http(name),
        By::Maildir(name) => Way::Maildir(name),
        By::NextHop(hop) => Way::NextHop(hop),
    }
}

gatepost_sdk::export!(OutboundRoute: route);
