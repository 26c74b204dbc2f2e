//! A relay with a program that hands in over HTTP, a user who submits over SMTP, a webhook, and the sink
//! of both.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use test_support::{ApiConnection, Client, ReceivedEvent, Relay, RelayBuilder, WebhookReceiver};

use super::offer::{AcceptedOffer, Offer, OfferAnswer, Offered};
use crate::bench::sink::Sink;
use crate::bench::usage::Tree;

/// Octets of the text of each message, about.
const TEXT: usize = 4 << 10;

/// Number of different recipients.
const RECIPIENTS: u64 = 1000;

/// Native domain of the account that hands in over HTTP, and its address there.
const NATIVE: &str = "acme.desk.test";
const ADDRESS: &str = "help@acme.desk.test";

/// Author of the submissions over SMTP, which belongs to an account of the configuration.
const SUBMITTER: &str = "ann@desk.example";

/// A running relay with all that is around it.
pub struct ApiSite {
    relay: Relay,
    sink: Sink,
    webhook: WebhookReceiver,
    token: String,
}

/// Events of accepted messages.
pub struct EventsTold {
    /// Time from each event to its request.
    pub delays: Vec<Duration>,
    /// Time from the first event to the last request.
    pub time: Duration,
}

impl EventsTold {
    /// Returns the number of events.
    pub fn len(&self) -> usize {
        self.delays.len()
    }
}

impl ApiSite {
    /// Starts it.
    ///
    /// # Errors
    /// The sink does not start, or the account is refused.
    pub fn start(binary: &Path) -> Result<Self> {
        let (sink, webhook) = (Sink::naming()?, WebhookReceiver::start());
        let relay = RelayBuilder::new(include_str!("../gatepost.toml"))
            .usual_disk()
            .replace("{port}", &sink.address().port().to_string())
            .replace(
                "domains = [\"desk.example\"]",
                "domains = [\"desk.example\"]\nusers = [{ name = \"user\", password = \"secret\" }]",
            )
            .with(
                "[[listener]]\nname = \"submission\"\naddress = \"127.0.0.1:0\"\n\
                 direction = \"submission\"\ntls = \"required-starttls\"\n\
                 chain = [\"loop-guard\", \"header-guard\", \"outbound-route\"]\n\
                 [api]\nlisten = \"127.0.0.1:0\"\n",
            )
            .with(&webhook.configuration());
        let relay = relay.program(binary).start();
        let site = relay.api_token("administer", &[]);
        let account = json!({
            "native-domain": NATIVE, "product": "Desk", "kind": "production", "time-zone": "UTC",
        });
        let id = created(&relay, "/accounts", &site, &account)?;
        let id = id["id"].as_str().context("the account has no id")?;
        let path = format!("/accounts/{id}/addresses");
        created(&relay, &path, &site, &json!({ "address": ADDRESS }))?;
        let token = relay.api_token("operate", &["--account", id]);
        Ok(Self {
            relay,
            sink,
            webhook,
            token,
        })
    }

    /// Returns the processes of the relay.
    pub fn tree(&self) -> Tree {
        Tree::of(vec![self.relay.id()])
    }

    /// Offers messages over HTTP. Each request has a key of its own.
    ///
    /// # Errors
    /// A client does not connect.
    pub fn post(&self, offer: Offer, name: &str) -> Result<Offered> {
        let address = self.relay.address("api");
        let connect = || Ok(ApiConnection::open(address, &self.token)?);
        let text = text();
        let path = format!("/accounts/{NATIVE}/messages");
        let send = |connection: &mut ApiConnection, number: u64, name: &str| {
            let message = json!({ "message": {
                "from": ADDRESS, "to": [recipient(number)], "subject": name, "text": text,
                "trigger": "agent", "metadata": name, "headers": { "X-Load": name },
            }});
            let fields = format!("Content-Type: application/json\r\nIdempotency-Key: {name}\r\n");
            match connection.post(&path, &fields, message.to_string().as_bytes()) {
                Ok(answer) if answer.status == 202 => OfferAnswer::Accepted(answer.text_of("id")),
                Ok(answer) => OfferAnswer::Refused(answer.status),
                Err(_) => OfferAnswer::Broken,
            }
        };
        offer.make(name, connect, send)
    }

    /// Offers messages over SMTP, in sessions under TLS that have logged in.
    ///
    /// # Errors
    /// A client does not connect.
    pub fn submit(&self, offer: Offer, name: &str) -> Result<Offered> {
        let address = self.relay.address("submission");
        let connect = || Ok(Client::greeted(address).authenticated("user", "secret"));
        let text = text();
        let send = |client: &mut Client, number: u64, name: &str| {
            let to = recipient(number);
            let message = format!(
                "From: <{SUBMITTER}>\r\nTo: <{to}>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\
                 Message-ID: <{name}@desk.example>\r\nSubject: {name}\r\nX-Load: {name}\r\n\
                 X-Gatepost-Trigger: agent\r\nX-Gatepost-Metadata: {name}\r\n\r\n{text}"
            );
            match client.deliver(SUBMITTER, &[&to], message.as_bytes()) {
                Ok(reply) if reply.code == 250 => OfferAnswer::Accepted(reply.transaction()),
                Ok(reply) => OfferAnswer::Refused(reply.code),
                Err(_) => OfferAnswer::Broken,
            }
        };
        offer.make(name, connect, send)
    }

    /// Returns the number of messages at the sink.
    pub fn arrived(&self) -> u64 {
        self.sink.count()
    }

    /// Waits until so many messages are at the sink.
    ///
    /// # Errors
    /// No more come, or there are more.
    pub fn wait_for(&self, messages: u64) -> Result<()> {
        self.sink.wait_for(messages)
    }

    /// Returns the number of events that the webhook was told of.
    pub fn told(&self) -> usize {
        self.webhook.count()
    }

    /// Waits until the webhook, which had been told of so many events, is told of the delivery of all these
    /// messages, and checks that each message was queued and delivered, in this order and once.
    ///
    /// # Errors
    /// It was not; an event is missing, came twice or out of order, or is of another message.
    pub fn events_of(&self, told: usize, accepted: &[AcceptedOffer<'_>]) -> Result<EventsTold> {
        let wanted = told + 2 * accepted.len();
        let begun = Instant::now();
        let received = self.webhook.wait_for(|received| received.len() >= wanted);
        let received = received.get(told..).unwrap_or_default();
        ensure!(
            self.webhook.wrong() == 0,
            "requests of the webhook were not signed"
        );
        let in_order = received.is_sorted_by(|one, next| one.event.seq < next.event.seq);
        ensure!(in_order, "events came twice or out of order");
        let mut kinds: HashMap<&str, Vec<&str>> = HashMap::new();
        for ReceivedEvent { event, .. } in received {
            let id = event
                .transaction
                .as_deref()
                .context("an event of no message")?;
            kinds.entry(id).or_default().push(&event.kind);
        }
        for AcceptedOffer { name, id } in accepted {
            let kinds = kinds.remove(id).unwrap_or_default();
            ensure!(
                kinds == ["queued", "delivered"],
                "{name} has the events {kinds:?}"
            );
        }
        ensure!(
            kinds.is_empty(),
            "events of messages that were not accepted: {kinds:?}"
        );
        let first = received.first().map(|one| one.received - one.delay());
        let last = received.last().map(|one| one.received);
        let time = first
            .zip(last)
            .and_then(|(first, last)| last.duration_since(first).ok());
        Ok(EventsTold {
            delays: received.iter().map(ReceivedEvent::delay).collect(),
            time: time.unwrap_or_else(|| begun.elapsed()),
        })
    }

    /// Checks that what has come to the sink since the last call are these messages, each once.
    ///
    /// # Errors
    /// Something is missing, came twice, or was not accepted.
    pub fn check_arrivals(&self, accepted: &[AcceptedOffer<'_>]) -> Result<()> {
        let mut arrived: BTreeMap<String, u64> = BTreeMap::new();
        for name in self.sink.names() {
            *arrived.entry(name).or_default() += 1;
        }
        for AcceptedOffer { name, id } in accepted {
            match arrived.remove(*name) {
                Some(1) => {}
                Some(times) => bail!("{name} ({id}) came {times} times"),
                None => bail!("{name} ({id}) was accepted and is lost"),
            }
        }
        ensure!(
            arrived.is_empty(),
            "came without being accepted: {arrived:?}"
        );
        Ok(())
    }
}

/// Creates something over HTTP; returns the answer.
fn created(relay: &Relay, path: &str, token: &str, asked: &Value) -> Result<Value> {
    let answer = relay.api("POST", path, token, asked);
    ensure!(answer.status == 201, "POST {path}: {answer:?}");
    Ok(answer.body)
}

fn recipient(number: u64) -> String {
    format!("r{}@b.example", number % RECIPIENTS)
}

/// Returns a text of lines.
fn text() -> String {
    let line = format!("{}\r\n", "X".repeat(78));
    line.repeat(TEXT.div_ceil(line.len()))
}
