//! A certificate authority that speaks ACME (RFC 8555), and answers as it is told.

mod authority;
mod der;
mod jws;
mod routes;
mod state;
mod validate;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use self::state::{AcmeState, OrderRefusal};
use crate::{Certificate, HttpRequest, HttpsFront, PATIENCE};

/// State with the signal of its changes.
type SharedState = Arc<(Mutex<AcmeState>, Condvar)>;

/// The authority, over TLS on a port of its own; stops with the process. It verifies signatures and
/// nonces, looks at names where it is told that they lead, and issues certificates.
#[derive(Debug)]
pub struct AcmeServer {
    url: String,
    ca_file: PathBuf,
    shared: SharedState,
}

impl AcmeServer {
    /// Starts one, whose certificate is kept in `directory`.
    pub fn start(directory: &Path) -> Self {
        let listener =
            TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener.local_addr();
        let address = address.unwrap_or_else(|error| panic!("no address: {error}"));
        let certificate = Certificate::make(directory);
        let front = HttpsFront::start(&certificate, address);
        let shared: SharedState =
            Arc::new((Mutex::new(AcmeState::new(front.url(""))), Condvar::new()));
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = Arc::clone(&served);
                thread::spawn(move || answer(stream, &served));
            }
        });
        Self {
            url: front.url("/directory"),
            ca_file: certificate.certificate,
            shared,
        }
    }

    /// Returns the table `[acme]` of a relay that orders a certificate for `mx.desk.example` here, and
    /// hardly waits between two attempts.
    pub fn settings(&self, challenge: &str) -> String {
        format!(
            "[acme]\ndirectory = {:?}\naccept-terms = true\nnames = [\"mx.desk.example\"]\n\
             challenge = {challenge:?}\nlisten = \"127.0.0.1:0\"\ncontact = [\"ann@desk.example\"]\n\
             retry = \"10ms\"\ncertificates-a-week = 1000\nca-file = {:?}\n",
            self.url, self.ca_file
        )
    }

    /// Has all names lead to this address. Before, the authority waits with looking.
    pub fn names_lead_to(&self, address: SocketAddr) {
        self.change(|state| state.names_lead_to = Some(address));
    }

    /// Issues certificates of this life from now on.
    pub fn issue_for(&self, life: Duration) {
        self.change(|state| state.life = life);
    }

    /// Refuses so many orders with a problem, and perhaps a wait in seconds.
    pub fn refuse_orders(&self, count: usize, problem: &str, retry_after: Option<u64>) {
        let refusal = OrderRefusal {
            problem: problem.to_owned(),
            retry_after,
        };
        self.change(|state| state.refusals.extend(vec![refusal; count]));
    }

    /// Takes the next request for one with a nonce that was used before.
    pub fn spoil_nonce(&self) {
        self.change(|state| state.spoil_nonce = true);
    }

    /// Fails every request with 503, like a proxy whose server is away, until it is told otherwise.
    pub fn set_down(&self, down: bool) {
        self.change(|state| state.down = down);
    }

    /// Returns the paths of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.shared.0.lock().requests.clone()
    }

    /// Returns the addresses that the authority may write to, of each account.
    pub fn contacts(&self) -> Vec<Vec<String>> {
        let state = self.shared.0.lock();
        let accounts = state.accounts.iter();
        accounts.map(|account| account.contact.clone()).collect()
    }

    /// Waits until so many certificates were issued; returns all, without their chains, in DER.
    pub fn issued(&self, count: usize) -> Vec<Vec<u8>> {
        self.wait_for(|state| state.issued.len() >= count).issued
    }

    fn change(&self, change: impl FnOnce(&mut AcmeState)) {
        change(&mut self.shared.0.lock());
        self.shared.1.notify_all();
    }

    fn wait_for(&self, is_so: impl Fn(&AcmeState) -> bool) -> AcmeState {
        let (state, changed) = &*self.shared;
        let mut state = state.lock();
        while !is_so(&state) {
            let waited = changed.wait_for(&mut state, PATIENCE);
            assert!(!waited.timed_out(), "it did not come to that: {state:?}");
        }
        state.clone()
    }
}

/// Answers one request.
fn answer(stream: TcpStream, shared: &SharedState) {
    if let Some(request) = HttpRequest::read(&stream) {
        let answer = routes::answer(&request, shared);
        shared.1.notify_all();
        // A client that gives up is no fault of the server.
        let _ = answer.write(stream);
    }
}
