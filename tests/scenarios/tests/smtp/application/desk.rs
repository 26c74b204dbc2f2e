//! An application that takes messages over HTTP, checks their signatures, and answers as it is told.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use serde_json::Value;
use test_support::{HttpRequest, PATIENCE, Relay, RelayBuilder, Sink};

use crate::MESSAGE;

/// Secret that the application checks signatures by.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Another one.
pub const WRONG_SECRET: &str = "whsec_AAKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The application, until the process ends.
pub struct Desk {
    pub address: SocketAddr,
    posted: Receiver<Posted>,
    is_busy: Arc<AtomicBool>,
}

/// A request as it came.
#[derive(Debug)]
pub struct Posted {
    /// Fields by their names in lower case.
    pub fields: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Desk {
    /// Answers with this status what is signed, anything else with 401.
    pub fn answering(status: u16) -> Self {
        Self::at("127.0.0.1:0", status)
    }

    /// Answers with 200, and each time when it [is busy](Self::be_busy) with this status and these
    /// fields.
    pub fn at_times_busy(status: u16, fields: &'static str) -> Self {
        Self::with("127.0.0.1:0", 200, (status, fields))
    }

    /// Is busy for the next request.
    pub fn be_busy(&self) {
        self.is_busy.store(true, Ordering::Relaxed);
    }

    /// Answers with this status, at this address.
    pub fn at(address: &str, status: u16) -> Self {
        Self::with(address, status, (503, ""))
    }

    fn with(address: &str, usual: u16, busy: (u16, &'static str)) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, posted) = channel();
        let is_busy = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&is_busy);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Some(HttpRequest { fields, body, .. }) = HttpRequest::read(&stream) else {
                    continue;
                };
                let request = Posted { fields, body };
                let (status, fields) = match shared.swap(false, Ordering::Relaxed) {
                    true => busy,
                    false => (usual, ""),
                };
                let status = if request.is_signed() { status } else { 401 };
                let words = "words of the application";
                let length = words.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} x\r\n{fields}Content-Length: {length}\r\n\r\n{words}"
                );
                let _ = sender.send(request);
            }
        });
        Self {
            address,
            posted,
            is_busy,
        }
    }

    /// Returns the next request, which has come or comes.
    pub fn take(&self) -> Posted {
        self.posted.recv_timeout(PATIENCE).expect("no request came")
    }

    /// Returns true if no request has come that was not taken.
    pub fn is_idle(&self) -> bool {
        self.posted.try_recv().is_err()
    }
}

impl Posted {
    /// Returns true if the signature is by [`SECRET`].
    pub fn is_signed(&self) -> bool {
        let secret = SECRET.strip_prefix("whsec_").unwrap();
        let key = BASE64_STANDARD.decode(secret).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let field = |name: &str| self.fields.get(name).cloned().unwrap_or_default();
        let (id, timestamp) = (field("webhook-id"), field("webhook-timestamp"));
        let signed = [format!("{id}.{timestamp}.").as_bytes(), &self.body].concat();
        field("webhook-signature").split(' ').any(|signature| {
            let signature = signature.strip_prefix("v1,").unwrap_or_default();
            let signature = BASE64_STANDARD.decode(signature).unwrap_or_default();
            hmac::verify(&key, &signed, &signature).is_ok()
        })
    }

    /// Returns the facts and the message of a request in two parts.
    pub fn parts(&self) -> (Value, Vec<u8>) {
        let kind = &self.fields["content-type"];
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let find = |octets: &[u8], what: &str| {
            let mut windows = octets.windows(what.len());
            windows
                .position(|window| window == what.as_bytes())
                .unwrap()
        };
        let between = |octets: &[u8]| {
            let begin = find(octets, "\r\n\r\n") + 4;
            let end = begin + find(&octets[begin..], &format!("\r\n--{boundary}"));
            (begin, end)
        };
        let (begin, end) = between(&self.body);
        let facts = serde_json::from_slice(&self.body[begin..end]).unwrap();
        let rest = &self.body[end..];
        let (begin, end) = between(rest);
        (facts, rest[begin..end].to_vec())
    }
}

/// Returns the usual relay, whose inbound mail goes to the application at this address, by the
/// endpoint `desk` with these keys more; all other mail goes to the sink.
pub fn relay_to(address: SocketAddr, world: &Sink, keys: &str) -> RelayBuilder {
    RelayBuilder::usual(world.address()).with(&format!(
        "[http]\naddress = \"127.0.0.1:0\"\n\
         [routes]\ninbound = \"http desk\"\n\
         [endpoint.desk]\nurl = \"http://{address}/mail\"\n{keys}\n"
    ))
}

/// Sends a message of a stranger to the desk; returns its transaction.
pub fn sent(relay: &Relay) -> String {
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver("ann@sender.example", &["help@desk.example"], MESSAGE);
    let reply = reply.unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    reply.transaction()
}

/// Returns the only recipient of a message in the queue.
pub fn recipient(relay: &Relay, id: &str) -> Value {
    relay.json(&["queue", "show", id])[0]["recipients"][0].clone()
}
