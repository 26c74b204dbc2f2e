//! Mail that goes in and out all the time, at both addresses of the customer's domain: each message has
//! a number, and everything about it is on record, so that none is lost, none comes twice, and none
//! leaves in a wrong name.
//!
//! A stream has no pauses: the next message is sent when fewer than [`WINDOW`] are on their way. While
//! they wait for something, the stream goes on slowly.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use test_support::{PATIENCE, Postfix, Taken};

use crate::desk::{Draft, Letter, field};
use crate::places::{ANN, DEFAULT, SALES, SUPPORT};
use crate::site::Site;
use crate::world::message;

/// Messages that are on their way at a time, each way.
const WINDOW: usize = 12;

/// Pause between messages of a stream whose messages wait.
const SLOWLY: Duration = Duration::from_millis(300);

/// Beginning of the addresses of those who get what goes out, and their domain.
const READER: &str = "reader-";
const READERS: &str = "author.example";

/// A message that the desk sent out.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Support address that it was submitted from.
    pub from: &'static str,
    /// Steps of the scenario in which its submission began and ended.
    pub steps: (usize, usize),
    /// Messages of it that arrived.
    pub arrived: Vec<Arrived>,
}

/// A message of the desk where it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Address in From.
    pub from: String,
    /// User as whom the relay logged in at the customer's server, if it came through that.
    pub user: Option<String>,
    /// True if it came through the customer's server.
    pub by_customer: bool,
}

/// A message that came in.
#[derive(Debug, Clone)]
pub struct Came {
    pub to: &'static str,
    /// As the desk got it.
    pub letters: Vec<Letter>,
}

/// Both streams.
pub struct Load<'a> {
    site: &'a Site,
    going: AtomicBool,
    /// True once nothing more is submitted.
    is_submitted: AtomicBool,
    step: AtomicUsize,
    written: AtomicUsize,
    /// Messages that the desk sent, by the local part of its recipient.
    out: Mutex<BTreeMap<String, Sent>>,
    arrived: Condvar,
}

/// Everything that went in and out.
pub struct Outcome {
    pub out: Vec<Sent>,
    pub came: Vec<Came>,
}

impl<'a> Load<'a> {
    /// Has mail going in and out while `work` is done; returns all of it once it has arrived. What the
    /// customer's server was sending when it read its settings anew waits until that looks through its
    /// queue.
    pub fn during(site: &'a Site, customer: &Postfix, work: impl FnOnce(&Self)) -> Outcome {
        let load = Self {
            site,
            going: AtomicBool::new(true),
            is_submitted: AtomicBool::new(false),
            step: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            out: Mutex::default(),
            arrived: Condvar::new(),
        };
        let came = thread::scope(|scope| {
            let going = Sets(&load.going, false);
            let writing = scope.spawn(|| load.write());
            let submitting = scope.spawn(|| {
                let _ended = Sets(&load.is_submitted, true);
                load.submit();
            });
            let collecting = scope.spawn(|| load.collect());
            work(&load);
            drop(going);
            while !writing.is_finished() {
                customer.looks_through_its_queue();
            }
            let came = writing.join().unwrap();
            submitting.join().unwrap();
            collecting.join().unwrap();
            came
        });
        let letters: Vec<Letter> = site.desk.state().tickets.letters().cloned().collect();
        let came = came.into_iter().map(|(id, to)| {
            let own = letters.iter().filter(|letter| letter.message_id == id);
            let letters = own.cloned().collect();
            Came { to, letters }
        });
        Outcome {
            out: load.out.into_inner().unwrap().into_values().collect(),
            came: came.collect(),
        }
    }

    /// Begins the next step of the scenario; returns its number.
    pub fn step(&self) -> usize {
        self.step.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Waits until so many more messages have come in.
    pub fn comes(&self, count: usize) {
        let before = self.letters();
        self.site.desk.until("more mail", |state| {
            (state.tickets.letters().count() >= before + count).then_some(())
        });
    }

    /// Waits until so many more messages have gone out.
    pub fn goes(&self, count: usize) {
        let out = self.out.lock().unwrap();
        let before = arrived(&out);
        let still = |out: &mut BTreeMap<_, _>| arrived(out) < before + count;
        let (out, waited) = self
            .arrived
            .wait_timeout_while(out, PATIENCE, still)
            .unwrap();
        assert!(
            !waited.timed_out(),
            "no more mail leaves: {out:?}\n{}",
            self.site.relay.log()
        );
    }

    /// Waits until so many more messages have gone each way.
    pub fn flows(&self, count: usize) {
        self.comes(count);
        self.goes(count);
    }

    fn letters(&self) -> usize {
        self.site.desk.state().tickets.letters().count()
    }

    fn now(&self) -> usize {
        self.step.load(Ordering::SeqCst)
    }

    /// Ann writes to both addresses in turn. Returns all: Message-ID and address.
    fn write(&self) -> Vec<(String, &'static str)> {
        let (mut written, before) = (Vec::new(), self.letters());
        while self.going.load(Ordering::SeqCst) {
            let number = self.written.fetch_add(1, Ordering::SeqCst);
            let to = [SUPPORT, SALES][number % 2];
            let id = format!("<in.{number}.{}@{READERS}>", self.site.world.port());
            let text = message(ANN, to, &format!("matter {number}"), &id, "");
            let reply = self.site.world.hands_in(ANN, to, &text);
            assert_eq!(reply.code, 250, "{}", reply.text());
            written.push((id, to));
            self.site.desk.within(SLOWLY, |state| {
                let came = state.tickets.letters().count() - before;
                written.len() < came + WINDOW
            });
        }
        for (id, ..) in &written {
            self.site.desk.got(id);
        }
        written
    }

    /// The desk writes from both addresses in turn.
    fn submit(&self) {
        let mut number = 0;
        while self.going.load(Ordering::SeqCst) {
            let from = [SUPPORT, SALES][number % 2];
            let reader = format!("{READER}{number}");
            let to = format!("{reader}@{READERS}");
            let begun = self.now();
            let sent = Sent {
                from,
                steps: (begun, begun),
                arrived: Vec::new(),
            };
            self.out.lock().unwrap().insert(reader.clone(), sent);
            let draft = Draft {
                from,
                to: &[&to],
                subject: &format!("matter {number}"),
                text: "We have news for you.",
                trigger: "agent",
            };
            self.site.desk.writes(&draft);
            let mut out = self.out.lock().unwrap();
            out.get_mut(&reader).unwrap().steps.1 = self.now();
            number += 1;
            let is_full = |out: &mut BTreeMap<_, _>| number >= arrived(out) + WINDOW;
            let waited = self.arrived.wait_timeout_while(out, SLOWLY, is_full);
            drop(waited.unwrap());
        }
    }

    /// Takes what arrives, until all has.
    fn collect(&self) {
        let begun = Instant::now();
        let (mut last, look) = (begun, Duration::from_millis(100));
        loop {
            let taken = (self.site.world).gets_within(look, |to| to.starts_with(READER));
            let mut out = self.out.lock().unwrap();
            if let Some(taken) = taken {
                last = Instant::now();
                let reader = taken.to[0].split('@').next().unwrap();
                let sent = out.get_mut(reader).unwrap();
                sent.arrived.push(Arrived::of(&taken));
                self.arrived.notify_all();
            } else if self.is_submitted.load(Ordering::SeqCst) {
                let is_whole = out.values().all(|sent| !sent.arrived.is_empty());
                if is_whole && !self.site.is_busy() {
                    return;
                }
                assert!(last.elapsed() < PATIENCE, "lost: {out:#?}");
            }
        }
    }
}

/// Sets a flag at its end, also where a scenario fails.
struct Sets<'a>(&'a AtomicBool, bool);

impl Drop for Sets<'_> {
    fn drop(&mut self) {
        self.0.store(self.1, Ordering::SeqCst);
    }
}

fn arrived(out: &BTreeMap<String, Sent>) -> usize {
    out.values().filter(|sent| !sent.arrived.is_empty()).count()
}

impl Arrived {
    /// Reads a message where it arrived.
    pub fn of(taken: &Taken) -> Self {
        let text = taken.text();
        let received = field(&text, "Received").unwrap();
        let user = received.split("(Authenticated sender: ").nth(1);
        let user = user.and_then(|rest| rest.split('@').next());
        let from = field(&text, "From").unwrap();
        let from = from.rsplit('<').next().unwrap().trim_end_matches('>');
        Self {
            from: from.to_owned(),
            user: user.map(str::to_owned),
            by_customer: received.contains("by mail.customer.example (Postfix)"),
        }
    }

    /// Returns true if it came as what leaves through the customer's server from this address, as one
    /// of these users.
    pub fn is_by_customer(&self, from: &str, users: &[&str]) -> bool {
        let user = self.user.as_deref();
        self.by_customer && self.from == from && users.iter().any(|of| Some(*of) == user)
    }

    /// Returns true if it came from the relay itself, from the default address.
    pub fn is_by_default(&self) -> bool {
        !self.by_customer && self.from == DEFAULT
    }
}

impl Outcome {
    /// Asserts that every message has come, and none of them twice; returns how many there were.
    pub fn assert_each_once(&self) -> (usize, usize) {
        for sent in &self.out {
            assert_eq!(sent.arrived.len(), 1, "{sent:#?}");
        }
        for came in &self.came {
            assert_eq!(came.letters.len(), 1, "{came:#?}");
            assert_eq!(came.letters[0].address, came.to);
        }
        (self.came.len(), self.out.len())
    }

    /// Returns what was submitted wholly within these steps, with the way in which it arrived.
    pub fn out_within(&self, steps: std::ops::Range<usize>) -> Vec<(&'static str, Arrived)> {
        let within = self
            .out
            .iter()
            .filter(move |sent| steps.contains(&sent.steps.0) && steps.contains(&sent.steps.1));
        within
            .map(|sent| (sent.from, sent.arrived[0].clone()))
            .collect()
    }
}
