//! An endpoint that takes events, checks their signatures, and answers as it is told.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use serde_json::Value;
use test_support::{HttpRequest, PATIENCE};

/// An endpoint, until the process ends.
pub struct Endpoint {
    pub address: SocketAddr,
    requests: Receiver<Request>,
}

/// A request that waits for its answer.
pub struct Request {
    pub id: String,
    fields: BTreeMap<String, String>,
    body: Vec<u8>,
    answer: Sender<String>,
}

impl Endpoint {
    pub fn start() -> Self {
        Self::at("127.0.0.1:0")
    }

    /// Starts one at an address.
    pub fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                std::thread::spawn(move || serve(stream, &sender));
            }
        });
        Self { address, requests }
    }

    /// Returns the next request, which must come.
    pub fn request(&self) -> Request {
        let request = self.requests.recv_timeout(PATIENCE);
        request.expect("no request came")
    }

    /// Returns true if no request has come that was not taken.
    pub fn is_idle(&self) -> bool {
        self.requests.try_recv().is_err()
    }

    /// Takes events with 204 until it has this many, in order; returns them.
    pub fn take(&self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        while events.len() < count {
            let request = self.request();
            events.extend(request.events());
            request.answer("204 No Content", "");
        }
        assert_eq!(events.len(), count, "{events:?}");
        events
    }
}

impl Request {
    /// Answers with this status and these fields.
    pub fn answer(self, status: &str, fields: &str) {
        let words = "words of the endpoint";
        let length = words.len();
        let answer =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{fields}\r\n{words}");
        // The relay may have gone.
        let _ = self.answer.send(answer);
    }

    /// Returns the events of the request.
    pub fn events(&self) -> Vec<Value> {
        let mut body: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(body["type"], "events");
        assert!(body["timestamp"].is_string());
        body["data"].as_array_mut().unwrap().drain(..).collect()
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns true if a signature of the request is by this secret.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key.unwrap());
        let timestamp = &self.fields["webhook-timestamp"];
        let signed = [format!("{}.{timestamp}.", self.id).as_bytes(), &self.body].concat();
        self.fields["webhook-signature"]
            .split(' ')
            .any(|signature| {
                let signature = signature.strip_prefix("v1,").unwrap_or_default();
                let signature = BASE64_STANDARD.decode(signature).unwrap_or_default();
                hmac::verify(&key, &signed, &signature).is_ok()
            })
    }
}

/// Returns the numbers of events.
pub fn numbers(events: &[Value]) -> Vec<u64> {
    events
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect()
}

/// Asserts that events are in order and that none came twice.
pub fn in_order(events: &[Value]) {
    let numbers = numbers(events);
    assert!(
        numbers.is_sorted_by(|one, other| one < other),
        "{numbers:?}"
    );
}

fn serve(mut stream: TcpStream, sender: &Sender<Request>) {
    let Some(HttpRequest { fields, body, .. }) = HttpRequest::read(&stream) else {
        return;
    };
    let (answer, answers) = channel();
    let id = fields.get("webhook-id").cloned().unwrap_or_default();
    let _ = sender.send(Request {
        id,
        fields,
        body,
        answer,
    });
    // Without an answer the connection ends.
    if let Ok(answer) = answers.recv() {
        let _ = stream.write_all(answer.as_bytes());
    }
}
