//! An OAuth token server that answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex};

use crate::{HttpRequest, PATIENCE};

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Path of the URL.
    pub path: String,
    /// Fields of the form.
    pub fields: BTreeMap<String, String>,
    /// Field Authorization.
    pub authorization: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    requests: Vec<TokenRequest>,
    /// Status and body of the answers to come.
    answers: VecDeque<(String, String)>,
    /// True while answers are held back.
    held: bool,
}

/// The server, over plaintext on a port of its own; stops with the process. What it was not told to
/// answer, it answers with `token-N`, N being the number of the request, valid for an hour.
#[derive(Debug)]
pub struct TokenServer {
    address: SocketAddr,
    shared: Arc<(Mutex<Shared>, Condvar)>,
}

impl TokenServer {
    /// Starts one.
    pub fn start() -> Self {
        let listener =
            TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener.local_addr();
        let address = address.unwrap_or_else(|error| panic!("no address: {error}"));
        let shared = Arc::new((Mutex::new(Shared::default()), Condvar::new()));
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = Arc::clone(&served);
                thread::spawn(move || {
                    // A client that gives up is no fault of the server.
                    let _ = answer(stream, &served);
                });
            }
        });
        Self { address, shared }
    }

    /// Returns the address at which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Queues an answer, such as `400 Bad Request` with an error in JSON.
    pub fn answer(&self, status: &str, body: &str) {
        let answer = (status.to_owned(), body.to_owned());
        self.shared.0.lock().answers.push_back(answer);
    }

    /// Queues an access token, valid for so many seconds, perhaps with a refresh token.
    pub fn answer_token(&self, access: &str, expires_in: u64, refresh: Option<&str>) {
        let mut body = serde_json::json!({
            "access_token": access, "token_type": "Bearer", "expires_in": expires_in,
        });
        if let Some(refresh) = refresh {
            body["refresh_token"] = refresh.into();
        }
        self.answer("200 OK", &body.to_string());
    }

    /// Queues an error of RFC 6749 section 5.2.
    pub fn answer_error(&self, code: &str, description: &str) {
        let body = serde_json::json!({ "error": code, "error_description": description });
        self.answer("400 Bad Request", &body.to_string());
    }

    /// Holds answers back until they are [released](Self::release).
    pub fn hold(&self) {
        self.shared.0.lock().held = true;
    }

    /// Sends the answers that were held back.
    pub fn release(&self) {
        self.shared.0.lock().held = false;
        self.shared.1.notify_all();
    }

    /// Returns the requests so far, oldest first.
    pub fn requests(&self) -> Vec<TokenRequest> {
        self.shared.0.lock().requests.clone()
    }

    /// Waits until so many requests have come; returns them.
    pub fn asked(&self, count: usize) -> Vec<TokenRequest> {
        let (shared, changed) = &*self.shared;
        let mut shared = shared.lock();
        while shared.requests.len() < count {
            let waited = changed.wait_for(&mut shared, PATIENCE);
            assert!(!waited.timed_out(), "not {count} requests: {shared:?}");
        }
        shared.requests.clone()
    }
}

fn answer(mut stream: TcpStream, shared: &(Mutex<Shared>, Condvar)) -> Option<()> {
    let request = HttpRequest::read(&stream)?;
    let body = String::from_utf8(request.body).ok()?;
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    let (shared, changed) = shared;
    let mut shared = shared.lock();
    shared.requests.push(TokenRequest {
        path: request.path,
        fields: pairs
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect(),
        authorization: request.fields.get("authorization").cloned(),
    });
    let number = shared.requests.len();
    changed.notify_all();
    while shared.held {
        changed.wait(&mut shared);
    }
    let usual = || {
        let body = serde_json::json!({
            "access_token": format!("token-{number}"), "token_type": "Bearer", "expires_in": 3600,
        });
        ("200 OK".to_owned(), body.to_string())
    };
    let (status, body) = shared.answers.pop_front().unwrap_or_else(usual);
    drop(shared);
    let length = body.len();
    let kind = "Content-Type: application/json";
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .ok()?;
    stream.flush().ok()
}

/// Decodes a part of a form.
fn decoded(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            octet => octet,
        });
    }
    String::from_utf8_lossy(&octets).into_owned()
}
