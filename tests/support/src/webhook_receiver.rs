//! Endpoint of a webhook that takes every event, and keeps what it was told.

use std::collections::BTreeMap;
use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::{Condvar, Mutex};
use ring::hmac;
use serde::Deserialize;

use crate::{HttpRequest, PATIENCE};

/// Secret of the webhook.
const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// An endpoint that answers each request with 204, until the process ends.
#[derive(Debug)]
pub struct WebhookReceiver {
    address: SocketAddr,
    told: Arc<Told>,
}

/// Event as an endpoint or a list of events has it; other members are left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WebhookEvent {
    /// Number.
    pub seq: u64,
    /// Time, in milliseconds since 1970.
    pub at: u64,
    /// Kind.
    pub kind: String,
    /// Transaction, of a message.
    pub transaction: Option<String>,
    /// Metadata of the message.
    pub metadata: Option<String>,
}

/// Event with the time at which it came.
#[derive(Debug, Clone)]
pub struct ReceivedEvent {
    /// The event.
    pub event: WebhookEvent,
    /// Time of its request.
    pub received: SystemTime,
}

/// Events so far.
#[derive(Debug, Default)]
struct Told {
    received: Mutex<ReceivedSoFar>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct ReceivedSoFar {
    events: Vec<ReceivedEvent>,
    /// Requests that were not signed with the secret, or no events.
    wrong: u64,
}

#[derive(Deserialize)]
struct Batch {
    data: Vec<WebhookEvent>,
}

impl WebhookReceiver {
    /// Starts one at a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0");
        let listener = listener.unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener.local_addr();
        let address = address.unwrap_or_else(|error| panic!("no port: {error}"));
        let told = Arc::<Told>::default();
        let shared = Arc::clone(&told);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let told = Arc::clone(&shared);
                thread::spawn(move || serve(&stream, &told));
            }
        });
        Self { address, told }
    }

    /// Returns the tables of a configuration that tell it of every event.
    pub fn configuration(&self) -> String {
        format!(
            "[events.webhook.load]\nurl = \"http://{}/events\"\nsecrets = [\"whsec_{SECRET}\"]\n\
             retry-seconds = [1]\n[destinations]\nallowed-networks = [\"127.0.0.0/8\"]\n",
            self.address
        )
    }

    /// Returns the number of events so far; some may have come twice.
    pub fn count(&self) -> usize {
        self.told.received.lock().events.len()
    }

    /// Waits until `is_enough` says so of the events that have come; returns them in the order in which
    /// they came. Gives up, and returns what there is, once none has come for as long as anything is
    /// waited for.
    pub fn wait_for(&self, is_enough: impl Fn(&[ReceivedEvent]) -> bool) -> Vec<ReceivedEvent> {
        let mut received = self.told.received.lock();
        while !is_enough(&received.events) {
            let until = Instant::now() + PATIENCE;
            let before = received.events.len();
            while received.events.len() == before {
                if self.told.more.wait_until(&mut received, until).timed_out() {
                    return received.events.clone();
                }
            }
        }
        received.events.clone()
    }

    /// Returns the number of requests that were no events, or not signed with the secret: they were
    /// refused.
    pub fn wrong(&self) -> u64 {
        self.told.received.lock().wrong
    }
}

impl ReceivedEvent {
    /// Returns the time from the event to its request; zero by clocks that were set back.
    pub fn delay(&self) -> Duration {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(self.event.at);
        self.received.duration_since(at).unwrap_or_default()
    }
}

/// Answers the requests of a connection.
fn serve(stream: &TcpStream, told: &Told) {
    let mut input = BufReader::new(stream);
    while let Some(request) = HttpRequest::next(&mut input) {
        let now = SystemTime::now();
        let batch = match is_signed(&request.fields, &request.body) {
            true => serde_json::from_slice::<Batch>(&request.body).ok(),
            false => None,
        };
        let mut output = stream;
        let Some(batch) = batch else {
            told.received.lock().wrong += 1;
            let _ = output.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            continue;
        };
        let events = batch.data.into_iter().map(|event| ReceivedEvent {
            event,
            received: now,
        });
        told.received.lock().events.extend(events);
        told.more.notify_all();
        // The relay may have been killed.
        let _ = output.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
    }
}

/// Returns true if the request is signed with the secret, as Standard Webhooks has it.
fn is_signed(fields: &BTreeMap<String, String>, body: &[u8]) -> bool {
    let signed = || {
        let key = STANDARD.decode(SECRET).ok()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let (id, time) = (fields.get("webhook-id")?, fields.get("webhook-timestamp")?);
        let text = [format!("{id}.{time}.").as_bytes(), body].concat();
        let given = fields.get("webhook-signature")?.strip_prefix("v1,")?;
        let given = STANDARD.decode(given).ok()?;
        hmac::verify(&key, &text, &given).ok()
    };
    signed().is_some()
}
