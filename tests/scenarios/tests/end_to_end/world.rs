//! Everybody outside: one server takes what is for them, and they write from its address.

use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use test_support::{Client, PATIENCE, Postfix, Reply, Sink, Taken};

use crate::places::{CUSTOMER, WORLD, at};

/// The server of everybody outside.
pub struct World {
    sink: Sink,
    /// Messages that were taken while another was looked for.
    waiting: Mutex<Vec<Taken>>,
    /// Postfix in front of the sink.
    front: Option<Postfix>,
    address: SocketAddr,
    written: AtomicUsize,
}

impl World {
    /// Starts a server that takes everything.
    pub fn start() -> Self {
        let sink = Sink::at(&format!("{WORLD}:0"), &[]);
        let address = sink.address();
        Self::of(sink, None, address)
    }

    /// Starts a server that takes everything, and writes on top what it finds by SPF, DKIM and
    /// DMARC. `start` starts Postfix in front of the sink of that address.
    pub fn verifying(start: impl FnOnce(SocketAddr) -> Option<Postfix>) -> Option<Self> {
        let sink = Sink::start();
        let front = start(sink.address())?;
        let address = front.address();
        Some(Self::of(sink, Some(front), address))
    }

    fn of(sink: Sink, front: Option<Postfix>, address: SocketAddr) -> Self {
        Self {
            sink,
            waiting: Mutex::default(),
            front,
            address,
            written: AtomicUsize::new(0),
        }
    }

    /// Returns the address of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the port at which the servers of all domains stand.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits for the next message to an address.
    pub fn gets(&self, address: &str) -> Taken {
        let found = self.gets_within(PATIENCE, |to| to == address);
        found.unwrap_or_else(|| panic!("nothing for {address}: {:?}", self.waiting))
    }

    /// Returns the next message with a recipient that is looked for, if one comes in time. Several
    /// threads may look for different ones.
    pub fn gets_within(&self, patience: Duration, look: impl Fn(&str) -> bool) -> Option<Taken> {
        let is_for = |taken: &Taken| taken.to.iter().any(|to| look(to));
        let begun = Instant::now();
        loop {
            let mut waiting = self.waiting.lock().unwrap();
            if let Some(found) = waiting.iter().position(is_for) {
                return Some(waiting.remove(found));
            }
            drop(waiting);
            let left = patience.checked_sub(begun.elapsed())?;
            // Another thread may take the message meanwhile.
            if let Some(taken) = self.sink.take_within(left.min(Duration::from_millis(20))) {
                self.waiting.lock().unwrap().push(taken);
            }
        }
    }

    /// Somebody writes to an address of the customer's domain; returns the Message-ID.
    pub fn writes(&self, from: &str, to: &str, subject: &str, fields: &str) -> String {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let id = format!(
            "<{number}.{}@{}>",
            self.port(),
            from.rsplit('@').next().unwrap()
        );
        let message = message(from, to, subject, &id, fields);
        let reply = self.hands_in(from, to, &message);
        assert_eq!(reply.code, 250, "{}", reply.text());
        id
    }

    /// Hands a message to the customer's server.
    pub fn hands_in(&self, from: &str, to: &str, message: &str) -> Reply {
        let mut client = self.client();
        client.deliver(from, &[to], message.as_bytes()).unwrap()
    }

    fn client(&self) -> Client {
        let server = at(CUSTOMER, self.port());
        let own = IpAddr::V4(WORLD);
        let mut client = Client::connect_from(own, server).unwrap();
        client.expect(220);
        client.ehlo();
        client
    }

    /// Somebody answers a message, as mail programs do; returns the Message-ID.
    pub fn answers(&self, from: &str, taken: &Taken, address: &str) -> String {
        let header = |name: &str| taken.header(name).unwrap_or_default();
        let fields = format!(
            "In-Reply-To: {id}\r\nReferences: {references} {id}\r\n",
            id = header("Message-ID"),
            references = header("References"),
        );
        let subject = header("Subject");
        let subject = format!("Re: {}", subject.trim_start_matches("Re: "));
        self.writes(from, address, &subject, &fields)
    }

    /// Ends all in front of the sink. Whoever has read all that came to it knows that nothing more
    /// is to come.
    pub fn sinks(self) -> [Sink; 1] {
        let waiting = self.waiting.into_inner().unwrap();
        assert!(waiting.is_empty(), "nobody looked at {waiting:?}");
        if let Some(front) = &self.front {
            front.drained();
        }
        [self.sink]
    }
}

/// A message as people write it.
pub fn message(from: &str, to: &str, subject: &str, id: &str, fields: &str) -> String {
    format!(
        "From: Ann <{from}>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: {id}\r\n\
         Date: Mon, 2 Mar 2026 11:09:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n{fields}\r\n\
         Hello,\r\n\r\nI have a question about {subject}. Can you help me?\r\n\r\nAnn\r\n"
    )
}
