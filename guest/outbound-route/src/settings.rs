//! Settings of outbound-route.

use std::collections::BTreeSet;

use gatepost_sdk::{MessageClass, NextHop};

/// Routes, of which the first that fits a message decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Routes in order; mail that fits none takes the relay's default route.
    pub routes: Vec<Route>,
}

/// Conditions of a route, which must all hold, and the way that it gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// Direction of the mail.
    pub direction: MailDirection,
    /// Domain of the reverse-path, without subdomains; case does not matter.
    #[schemars(length(min = 1, max = 253))]
    pub domain: Option<String>,
    /// Addresses, or domains without their subdomains, one of which is the reverse-path's.
    pub senders: Vec<String>,
    /// Addresses, or domains without their subdomains, one of which is the recipient's.
    pub recipients: Vec<String>,
    /// Accounts, one of which the mail belongs to.
    pub accounts: Vec<String>,
    /// Classes, one of which the mail has.
    #[schemars(with = "Vec<String>")]
    pub classes: Vec<MessageClass>,
    /// Tags, one of which the mail has.
    pub tags: Vec<String>,
    /// Hours of the day in which the attempt is made.
    pub hours: Option<Hours>,

    /// Server that the mail is handed to; the policy needs the `next-hop` grant. As
    /// `by = { next-hop = … }`.
    pub next_hop: Option<NextHop>,
    /// Way of the mail.
    pub by: Option<By>,
    /// Ways among which each message is given one, in proportion to their weights.
    pub among: Vec<Weighted>,
    /// Reason for which the mail is kept for an operator.
    pub hold: Option<String>,

    /// Condition under which the first step of `then` is taken.
    pub go_on_after: Option<Patience>,
    /// Pool of addresses from which the relay connects.
    pub egress: Option<String>,
    /// Further steps.
    #[schemars(length(max = 7))]
    pub then: Vec<Step>,
    /// Address in whose name the mail leaves.
    pub send_as: Option<String>,
    /// Seconds after acceptance at which a recipient is given up.
    #[schemars(range(min = 1))]
    pub expire_after: Option<u32>,
    /// Seconds for which the queue may keep the route.
    pub holds_for: Option<u32>,
}

/// Direction of mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MailDirection {
    /// Mail that the application submits.
    #[default]
    Submission,
    /// Mail that comes in for the application.
    Inbound,
}

/// Hours of the day in UTC, from the beginning of the first to the beginning of the last, over
/// midnight where the first is later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hours {
    /// First hour.
    #[schemars(range(max = 23))]
    pub from: u8,
    /// Hour at which it ends.
    #[schemars(range(max = 23))]
    pub to: u8,
}

impl Hours {
    /// Returns true if this hour is one of them.
    pub fn contain(self, hour: u8) -> bool {
        match self.from <= self.to {
            true => (self.from..self.to).contains(&hour),
            false => hour >= self.from || hour < self.to,
        }
    }
}

/// Way of mail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Through the connection of this name.
    Connection(String),
    /// Through the connection that serves the reverse-path.
    ConnectionOfSender,
    /// To the servers of the recipient's domain.
    Mx,
    /// To whoever receives the recipient's mail on this relay.
    Inside,
    /// To the application's LMTP server of this name.
    Lmtp(String),
    /// To the application's HTTP endpoint of this name.
    Http(String),
    /// Into the Maildir of this name.
    Maildir(String),
    /// To this server; the policy needs the `next-hop` grant.
    NextHop(NextHop),
}

/// Way with its weight.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Weighted {
    /// Way.
    pub by: By,
    /// Weight.
    #[schemars(range(min = 1))]
    pub weight: u32,
}

/// Condition for the next step: both limits must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Patience {
    /// Deferred attempts.
    #[schemars(range(min = 1))]
    pub failures: u32,
    /// Seconds since the first attempt.
    #[serde(default)]
    pub seconds: u32,
}

/// Further step of a route.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// Way.
    pub by: By,
    /// Condition under which the step after it is taken.
    #[serde(default)]
    pub go_on_after: Option<Patience>,
    /// Pool of addresses from which the relay connects.
    #[serde(default)]
    pub egress: Option<String>,
}

impl By {
    fn problem(&self) -> Option<String> {
        match self {
            Self::Connection(name) | Self::Lmtp(name) | Self::Http(name) | Self::Maildir(name) => {
                name_problem(name)
            }
            Self::NextHop(hop) => (hop.port == 0).then(|| "0 is not a port".to_owned()),
            Self::ConnectionOfSender | Self::Mx | Self::Inside => None,
        }
    }
}

/// Returns the reason why the relay would not take a name.
fn name_problem(name: &str) -> Option<String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let is_name = (1..=64).contains(&name.len()) && name.bytes().all(allowed);
    (!is_name).then(|| format!("{name:?} is not 1 to 64 letters, digits, -, . and _"))
}

impl Route {
    /// Returns true if nothing but the reverse-path's domain decides.
    fn has_domain_alone(&self) -> bool {
        let Self {
            senders,
            recipients,
            accounts,
            classes,
            tags,
            hours,
            ..
        } = self;
        let none = senders.is_empty() && recipients.is_empty() && accounts.is_empty();
        none && classes.is_empty() && tags.is_empty() && hours.is_none()
    }

    /// Brings addresses and domains into the form in which they are compared.
    pub(crate) fn lower_case(&mut self) {
        let domain = self.domain.iter_mut();
        let listed = self.senders.iter_mut().chain(&mut self.recipients);
        for text in domain.chain(listed) {
            *text = text.to_lowercase();
        }
    }

    /// Returns the problems that the schema cannot express, each with its place.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let ways = [
            self.next_hop.is_some(),
            self.by.is_some(),
            !self.among.is_empty(),
            self.hold.is_some(),
        ];
        if ways.iter().filter(|given| **given).count() != 1 {
            problems.push(": give one of next-hop, by, among and hold".to_owned());
        }
        if self.hours.is_some_and(|hours| hours.from == hours.to) {
            problems.push("/hours: they end where they begin".to_owned());
        }
        if !self.then.is_empty() && self.go_on_after.is_none() {
            problems.push("/then: it needs go-on-after".to_owned());
        }
        let next_hop = self.next_hop.as_ref();
        if next_hop.is_some_and(|hop| hop.port == 0) {
            problems.push("/next-hop/port: 0 is not a port".to_owned());
        }
        let mut add = |place: String, problem: Option<String>| {
            problems.extend(problem.map(|problem| format!("{place}: {problem}")));
        };
        add("/by".into(), self.by.as_ref().and_then(By::problem));
        add(
            "/egress".into(),
            self.egress.as_deref().and_then(name_problem),
        );
        for (index, weighted) in self.among.iter().enumerate() {
            add(format!("/among/{index}/by"), weighted.by.problem());
        }
        let last = self.then.len().saturating_sub(1);
        for (index, step) in self.then.iter().enumerate() {
            add(format!("/then/{index}/by"), step.by.problem());
            let egress = step.egress.as_deref().and_then(name_problem);
            add(format!("/then/{index}/egress"), egress);
            let ends = step.go_on_after.is_none() && index < last;
            let never = ends.then(|| "without go-on-after no later step is taken".to_owned());
            add(format!("/then/{index}"), never);
        }
        let address = self.send_as.as_deref();
        let address = address.filter(|text| text.parse::<gatepost_sdk::Address>().is_err());
        let problem = address.map(|text| format!("{text:?} is not an address"));
        add("/send-as".into(), problem);
        problems
    }
}

impl Settings {
    /// Returns the problems that the schema cannot express.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut domains = BTreeSet::new();
        for (index, route) in self.routes.iter().enumerate() {
            let domain = route.domain.as_ref().filter(|_| route.has_domain_alone());
            if let Some(domain) = domain
                && !domains.insert((
                    route.direction == MailDirection::Inbound,
                    domain.to_lowercase(),
                ))
            {
                problems.push(format!(
                    "/routes/{index}/domain: {domain} has a route already"
                ));
            }
            let of_route = route.problems().into_iter();
            problems.extend(of_route.map(|problem| format!("/routes/{index}{problem}")));
        }
        problems
    }
}
