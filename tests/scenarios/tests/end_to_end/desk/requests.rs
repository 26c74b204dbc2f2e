//! The requests that a desk serves: a message, and events. Both are signed (Standard Webhooks), and
//! one that comes twice is handled once.

use std::io::Write as _;
use std::net::TcpStream;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use serde_json::Value;
use test_support::HttpRequest;

use super::{Desk, Letter};

/// Secret of the signatures.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

impl Desk {
    /// Serves one request.
    pub(super) fn serve(&self, mut stream: &TcpStream) {
        let Some(request) = HttpRequest::read(stream) else {
            return;
        };
        let status = if is_signed(&request) { 200 } else { 401 };
        // What was answered is handled even if the answer is lost: it comes again, and is known.
        let id = request
            .fields
            .get("webhook-id")
            .cloned()
            .unwrap_or_default();
        let is_new = status == 200 && self.state().handled.insert(id);
        let _ = write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
        if !is_new {
            return;
        }
        match request.path.as_str() {
            "/mail" => {
                let (facts, message) = parts(&request);
                self.files(Letter::read(&facts, &message));
            }
            "/events" => {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                let mut state = self.state();
                for event in body["data"].as_array().unwrap() {
                    let last = state.events.last().map(|of| of["seq"].as_u64());
                    if last < Some(event["seq"].as_u64()) {
                        state.events.push(event.clone());
                    }
                }
                self.shared.changed.notify_all();
            }
            path => panic!("a request for {path}"),
        }
    }
}

fn is_signed(request: &HttpRequest) -> bool {
    let secret = SECRET.strip_prefix("whsec_").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(secret).unwrap());
    let field = |name: &str| request.fields.get(name).cloned().unwrap_or_default();
    let (id, timestamp) = (field("webhook-id"), field("webhook-timestamp"));
    let signed = [format!("{id}.{timestamp}.").as_bytes(), &request.body].concat();
    field("webhook-signature").split(' ').any(|signature| {
        let signature = signature.strip_prefix("v1,").unwrap_or_default();
        let signature = BASE64_STANDARD.decode(signature).unwrap_or_default();
        hmac::verify(&key, &signed, &signature).is_ok()
    })
}

/// Returns the facts and the message of a request in two parts (RFC 7578).
fn parts(request: &HttpRequest) -> (Value, Vec<u8>) {
    let kind = &request.fields["content-type"];
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let find = |octets: &[u8], what: &str| {
        let mut windows = octets.windows(what.len());
        windows.position(|of| of == what.as_bytes()).unwrap()
    };
    let part = |octets: &[u8]| {
        let begin = find(octets, "\r\n\r\n") + 4;
        let end = begin + find(&octets[begin..], &format!("\r\n--{boundary}"));
        (octets[begin..end].to_vec(), end)
    };
    let (facts, end) = part(&request.body);
    let (message, _) = part(&request.body[end..]);
    (serde_json::from_slice(&facts).unwrap(), message)
}
