//! A relay with the configuration of the fixtures, and the two servers behind it.

use std::io;

use gatepost_fixture::Decided;
use gatepost_message::Edit;
use gatepost_model::{Judgement, Routing};

use crate::{ChainCase, PATIENCE, Relay, RelayBuilder, Reply, Sink, Taken};

/// Password of the users in `tests/fixtures/relay/relay.toml`.
const PASSWORD: &str = "correct horse";

/// A running relay for the fixtures.
#[derive(Debug)]
pub struct FixtureRelay {
    relay: Relay,
    application: Sink,
    smarthost: Sink,
}

/// A fixture that was sent through the relay.
#[derive(Debug)]
pub struct SentCase {
    /// Reply to the message.
    pub reply: Reply,
    /// Calls of policies, in order.
    pub judgements: Vec<Judgement>,
    /// Message as it arrived, and the name of the server.
    pub arrived: Option<(&'static str, Taken)>,
    /// Differences from the expected decision and message.
    pub surprises: Vec<String>,
}

impl FixtureRelay {
    /// Starts the relay and the two servers.
    pub fn start() -> Self {
        let (application, smarthost) = (Sink::start(), Sink::start());
        let relay = RelayBuilder::fixtures(application.address(), smarthost.address());
        Self {
            relay: relay.start(),
            application,
            smarthost,
        }
    }

    /// Sends a message, and waits until it has arrived where it is due. If it goes elsewhere, it is
    /// missed there.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn send(&self, case: &ChainCase) -> io::Result<SentCase> {
        let reply = self.deliver(case)?;
        let id = reply.transaction();
        let due = case.hop().filter(|_| reply.code == 250);
        let arrived = due.and_then(|hop| {
            let sink = match hop {
                "smarthost" => &self.smarthost,
                _ => &self.application,
            };
            Some((hop, sink.take_within(PATIENCE)?))
        });
        if arrived.is_some() {
            // The calls of the route hook are on record once the attempts are.
            let attempts = case.fixture.rcpt_to.len();
            let on_record = |relay: &Relay| {
                let events = relay.events(&id, "attempt");
                (events.len() == attempts).then_some(())
            };
            self.relay
                .eventually("the delivery is on record", on_record);
        }
        let judgements = self.relay.judgements(&id).into_iter().map(|judgement| {
            serde_json::from_value(judgement).unwrap_or_else(|e| panic!("a judgement of {id}: {e}"))
        });
        let judgements: Vec<Judgement> = judgements.collect();
        let difference = case.fixture.compare(&decided(&reply, &judgements));
        let mut surprises: Vec<String> = difference.map(|of| of.diff).into_iter().collect();
        match (due, &arrived) {
            (Some(hop), None) => surprises.push(format!("it never came to {hop}")),
            (_, None) => {}
            (_, Some((_, taken))) => {
                let decisions = judgements.iter().map(|of| of.decision.edits.clone());
                let edits: Vec<Edit> = decisions.flatten().collect();
                surprises.extend(case.arrival_surprises(&edits, taken));
            }
        }
        Ok(SentCase {
            reply,
            judgements,
            arrived,
            surprises,
        })
    }

    fn deliver(&self, case: &ChainCase) -> io::Result<Reply> {
        let fixture = &case.fixture;
        let mut client = self.relay.client(fixture.listener());
        match &fixture.user {
            Some(user) => client = client.authenticated(user, PASSWORD),
            None => {
                client.ehlo();
            }
        }
        let recipients: Vec<&str> = fixture.rcpt_to.iter().map(|to| to.as_str()).collect();
        let message = case.message.to_bytes()?;
        client.deliver(fixture.reverse_path().as_str(), &recipients, &message)
    }

    /// Ends all three, and asserts that no message is left and none came that was not due.
    pub fn leaves_nothing(self) {
        self.relay
            .leaves_nothing_at([self.application, self.smarthost]);
    }
}

/// Returns the decision of the whole chain, by the reply and the recorded calls. Effects and
/// protected fields are not part of it.
fn decided(reply: &Reply, judgements: &[Judgement]) -> Decided {
    if let Some(fault) = judgements.iter().find_map(|call| call.error.as_ref()) {
        return Decided::failed(fault.to_string());
    }
    let decisions = || judgements.iter().map(|call| &call.decision);
    let mut verdicts = judgements.iter().map(|call| call.verdict.word());
    let verdict = verdicts.find(|word| !["pass", "accept"].contains(word));
    let mut decided = Decided::new(verdict.or(Some("pass")));
    let refused = reply.code != 250;
    decided.reply = refused.then(|| format!("{} {}", reply.code, reply.text()));
    if let Some(class) = decisions().rev().find_map(|of| of.classification) {
        decided.class = Some(class.class.word().to_owned());
        decided.reply_allowed = Some(class.reply_allowed && !refused);
    }
    let reasons = decisions().flat_map(|of| of.reasons.clone());
    decided.reasons = Some(reasons.collect());
    let mut tags: Vec<String> = Vec::new();
    for tag in decisions().flat_map(|of| &of.tags) {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    decided.tags = Some(tags);
    let edits = decisions().flat_map(|of| &of.edits).map(|edit| match edit {
        Edit::Add { name, body } => format!("add {name}: {body}"),
        Edit::Set { name, body } => format!("set {name}: {body}"),
        Edit::Remove { name } => format!("remove {name}"),
    });
    decided.edits = Some(edits.collect());
    // All recipients of a fixture have the same plan.
    let plans = judgements
        .iter()
        .filter_map(|call| match call.routing.as_deref() {
            Some(Routing::Deliver(plan)) => {
                Some(plan.steps.iter().map(ToString::to_string).collect())
            }
            _ => None,
        });
    let mut plans: Vec<Vec<String>> = plans.collect();
    plans.dedup();
    decided.plan = (!plans.is_empty()).then(|| plans.concat());
    decided
}
