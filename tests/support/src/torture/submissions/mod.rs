//! Kills a relay at random moments while messages come over HTTP and SMTP, and while a webhook is told
//! of their events.
//!
//! Each request over HTTP has a key, and one that got no answer is made again under its key after the
//! next start, by clients that are killed again. Then:
//!
//! - Every message that got a 202 or a 250 is delivered, with the octets that were sent.
//! - Every request has one message, however often it was made, and the same answer each time.
//! - The webhook was told of every event that the store has, in order; those that it was told of again
//!   had not changed. Each message was queued once, and then delivered.

mod client;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::SystemTime;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use self::client::{Clients, Desk, KeyedPost, Said};
use super::{load, wait_within_commits};
use crate::{PATIENCE, ReceivedEvent, Relay, RelayBuilder, Sink, WebhookEvent, WebhookReceiver};

/// Native domain of the account that submits over HTTP, and its address there.
const NATIVE: &str = "acme.desk.test";
const ADDRESS: &str = "help@acme.desk.test";

/// Most answers that are waited for before a death.
const MOST_ANSWERS: usize = 120;

/// Events of one page of the list.
const PAGE: usize = 100_000;

/// Result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionOutcome {
    /// Seed of the moments.
    pub seed: u64,
    /// Number of deaths.
    pub rounds: u32,
    /// Requests over HTTP that got a 202 in the end.
    pub answered: usize,
    /// Requests that got no answer and were made again; one counts each time.
    pub unanswered: usize,
    /// Requests that got no answer though their message was accepted.
    pub accepted_unanswered: usize,
    /// Messages over SMTP that got a 250.
    pub acknowledged: usize,
    /// Events in the store.
    pub events: usize,
    /// Deliveries beyond the first of a message.
    pub duplicates: usize,
    /// Promises that were not kept, each in a sentence.
    pub broken: Vec<String>,
}

impl fmt::Display for SubmissionOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            rounds,
            answered,
            unanswered,
            accepted_unanswered,
            acknowledged,
            events,
            duplicates,
            broken,
        } = self;
        write!(
            f,
            "seed {seed}: {rounds} deaths, {answered} answered over HTTP after {unanswered} \
             repetitions, of which {accepted_unanswered} had been accepted, {acknowledged} acknowledged over SMTP, {events} events, {duplicates} \
             delivered again, {} promises broken",
            broken.len()
        )?;
        broken.iter().try_for_each(|one| write!(f, "\n  {one}"))
    }
}

/// Promises that the relay has made.
#[derive(Debug, Default)]
struct Promises {
    /// Transactions of the requests that got a 202, by name.
    answered: BTreeMap<String, String>,
    /// Transactions of the messages that got a 250, by name.
    acknowledged: BTreeMap<String, String>,
    /// Requests without an answer, to be made again.
    unanswered: Vec<KeyedPost>,
    /// Times at which requests were seen to have no answer, in milliseconds since 1970, by name; the
    /// first counts.
    died: BTreeMap<String, u64>,
    /// Number of requests that had no answer; one counts each time.
    repetitions: usize,
    broken: Vec<String>,
}

impl Promises {
    /// Takes what clients were told; returns true if it is a new promise of the relay.
    fn take(&mut self, said: Said) -> bool {
        match said {
            Said::Answered(name, id) => {
                let first = self.answered.entry(name.clone()).or_insert(id.clone());
                if *first != id {
                    let text = format!("{name} was answered as {first}, and again as {id}");
                    self.broken.push(text);
                }
                true
            }
            Said::Acknowledged(name, id) => self.acknowledged.insert(name, id).is_none(),
            Said::Unanswered(post) => {
                self.repetitions += 1;
                self.died.entry(post.name.clone()).or_insert_with(now);
                self.unanswered.push(post);
                false
            }
            Said::Untried(post) => {
                self.unanswered.push(post);
                false
            }
            Said::Refused(text) => {
                self.broken.push(text);
                false
            }
        }
    }

    /// Returns names and transactions of all messages.
    fn all(&self) -> impl Iterator<Item = (&String, &String)> {
        self.answered.iter().chain(&self.acknowledged)
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

/// Kills the relay `rounds` times.
///
/// # Panics
/// The relay does not start, or answers nobody.
pub fn run(rounds: u32, seed: u64, progress: impl Fn(&str)) -> SubmissionOutcome {
    let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("no directory: {error}"));
    let (sink, webhook) = (Sink::start(), WebhookReceiver::start());
    let mut relay = RelayBuilder::usual(sink.address())
        .directory(directory.path())
        .with("[api]\nlisten = \"127.0.0.1:0\"")
        .with(&webhook.configuration())
        .start();
    let token = open_account(&relay);
    let mut random = StdRng::seed_from_u64(seed);
    let mut promises = Promises::default();
    for round in 1..=rounds {
        let desk = Desk::at(&relay, &token);
        let unanswered = std::mem::take(&mut promises.unanswered);
        let clients = Clients::start(&desk, round, unanswered);
        let mut target = random.random_range(1..MOST_ANSWERS);
        while target > 0 {
            match clients.next() {
                Some(said) => target -= usize::from(promises.take(said)),
                None => panic!("nobody is served:\n{}", relay.log()),
            }
        }
        wait_within_commits(&mut random);
        relay.kill();
        for said in clients.finish() {
            promises.take(said);
        }
        progress(&format!(
            "death {round} of {rounds}: {} answered over HTTP, {} to be made again, {} acknowledged \
             over SMTP",
            promises.answered.len(),
            promises.unanswered.len(),
            promises.acknowledged.len()
        ));
        relay.restart();
    }
    let unanswered = std::mem::take(&mut promises.unanswered);
    for said in Desk::at(&relay, &token).repeat(unanswered) {
        promises.take(said);
    }
    settle(
        (seed, rounds),
        promises,
        (&relay, &sink, &webhook),
        progress,
    )
}

/// Makes an account with an address; returns a token that submits for it.
fn open_account(relay: &Relay) -> String {
    let site = relay.api_token("administer", &[]);
    let account = json!({
        "native-domain": NATIVE, "product": "Desk", "kind": "production", "time-zone": "UTC",
    });
    let account = relay.api("POST", "/accounts", &site, &account);
    let id = account.with_status(201).text_of("id");
    let address = json!({ "address": ADDRESS });
    (relay.api(
        "POST",
        &format!("/accounts/{id}/addresses"),
        &site,
        &address,
    ))
    .with_status(201);
    relay.api_token("operate", &["--account", &id])
}

/// Waits until everything has been delivered and told, and compares it with the promises.
fn settle(
    (seed, rounds): (u64, u32),
    mut promises: Promises,
    (relay, sink, webhook): (&Relay, &Sink, &WebhookReceiver),
    progress: impl Fn(&str),
) -> SubmissionOutcome {
    let mut broken = std::mem::take(&mut promises.broken);
    for post in &promises.unanswered {
        broken.push(format!("{} got no answer", post.name));
    }
    let duplicates = arrivals(&promises, relay, sink, &mut broken);
    progress("all has arrived: comparing the events");
    let transactions: BTreeSet<&str> = promises.all().map(|(_, id)| id.as_str()).collect();
    webhook.wait_for(|received| {
        let delivered = received.iter().filter(|of| of.event.kind == "delivered");
        let of = delivered.filter_map(|of| of.event.transaction.as_deref());
        transactions.is_subset(&of.collect())
    });
    let stored = stored_events(relay);
    let last = stored.last().map_or(0, |event| event.seq);
    let received = webhook.wait_for(|received| received.iter().any(|of| of.event.seq >= last));
    if webhook.wrong() > 0 {
        broken.push(format!("{} requests were not signed", webhook.wrong()));
    }
    told(&stored, &received, &mut broken);
    one_message_each(&promises, &stored, &mut broken);
    let accepted_unanswered = stored.iter().filter(|event| {
        let died = event
            .metadata
            .as_ref()
            .and_then(|name| promises.died.get(name));
        event.kind == "queued" && died.is_some_and(|died| event.at <= *died)
    });
    SubmissionOutcome {
        seed,
        rounds,
        answered: promises.answered.len(),
        unanswered: promises.repetitions,
        accepted_unanswered: accepted_unanswered.count(),
        acknowledged: promises.acknowledged.len(),
        events: stored.len(),
        duplicates,
        broken,
    }
}

/// Waits until every message has come to the sink, or nothing more comes; returns the number of
/// deliveries beyond the first of each.
fn arrivals(promises: &Promises, relay: &Relay, sink: &Sink, broken: &mut Vec<String>) -> usize {
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    let mut missing: BTreeSet<String> = promises.all().map(|(name, _)| name.clone()).collect();
    while !missing.is_empty() {
        // Once the queue is empty and the sink silent, missing messages are lost.
        let Some(taken) = sink.take_within(PATIENCE / 6) else {
            if relay.json(&["queue", "list", "--messages"]).is_empty() {
                break;
            }
            continue;
        };
        match load::whole(&taken.bytes()) {
            Some(name) => {
                missing.remove(&name);
                *arrived.entry(name).or_default() += 1;
            }
            None => broken.push(format!(
                "a message for {:?} arrived with other octets than were sent",
                taken.to
            )),
        }
    }
    broken.extend(missing.iter().map(|name| format!("{name} is lost")));
    arrived.values().map(|count| count - 1).sum()
}

/// Returns all events of the store.
fn stored_events(relay: &Relay) -> Vec<WebhookEvent> {
    let mut events: Vec<WebhookEvent> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.seq);
        let (after, limit) = (after.to_string(), PAGE.to_string());
        let page = relay.json(&["events", "--after", &after, "--limit", &limit]);
        if page.is_empty() {
            return events;
        }
        let parsed = page.into_iter().map(|event: Value| {
            let text = event.to_string();
            serde_json::from_value(event).unwrap_or_else(|error| panic!("{error}: {text}"))
        });
        events.extend(parsed);
    }
}

/// Compares what the webhook was told with the store.
fn told(stored: &[WebhookEvent], received: &[ReceivedEvent], broken: &mut Vec<String>) {
    let mut known: BTreeMap<u64, &WebhookEvent> = BTreeMap::new();
    for ReceivedEvent { event, .. } in received {
        let seq = event.seq;
        let last = known.last_key_value().map_or(0, |(last, _)| *last);
        match known.get(&seq) {
            Some(first) if *first != event => {
                broken.push(format!("event {seq} came again and had changed"));
            }
            Some(_) => {}
            None if seq < last => broken.push(format!("event {seq} came after event {last}")),
            None => {
                known.insert(seq, event);
            }
        }
    }
    for event in stored {
        let seq = event.seq;
        match known.get(&seq) {
            None => broken.push(format!("the webhook was not told of event {seq}")),
            Some(told) if *told != event => {
                broken.push(format!("the webhook was told otherwise of event {seq}"));
            }
            Some(_) => {}
        }
    }
}

/// Checks by the events that every promise is of one message, which was queued once and delivered.
fn one_message_each(promises: &Promises, stored: &[WebhookEvent], broken: &mut Vec<String>) {
    let mut by_name: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for event in stored {
        if let (Some(name), Some(id)) = (&event.metadata, &event.transaction) {
            let messages = by_name.entry(name).or_default();
            messages.entry(id).or_default().push(&event.kind);
        }
    }
    for (name, id) in promises.all() {
        let Some(messages) = by_name.get(name.as_str()) else {
            broken.push(format!("there is no event of {name}"));
            continue;
        };
        if messages.len() != 1 || !messages.contains_key(id.as_str()) {
            broken.push(format!("{name} is {id} and has the messages {messages:?}"));
            continue;
        }
        let kinds = &messages[id.as_str()];
        let queued = kinds.iter().filter(|kind| **kind == "queued").count();
        let is_whole = kinds.first() == Some(&"queued") && kinds.last() == Some(&"delivered");
        if queued != 1 || !is_whole {
            broken.push(format!("{name} has the events {kinds:?}"));
        }
    }
}
