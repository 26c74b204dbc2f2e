//! A small help desk, as an application behind the relay: it gets its mail by HTTP, keeps each
//! conversation as a ticket, submits answers, and is told by a webhook what becomes of them.
//!
//! It does what docs/application.md, docs/events.md and docs/webhooks.md ask of an application, and
//! relies on nothing else.

mod letter;
mod requests;
mod tickets;

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::{Client, PATIENCE, Reply};

pub use self::letter::{Letter, field};
pub use self::requests::SECRET;
use self::tickets::Tickets;

/// Longest wait before a desk looks again: what ends a wait need not be the desk's own.
const LOOK: Duration = Duration::from_millis(50);

/// Rule by which a desk answers new mail by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledges {
    /// Nothing.
    Never,
    /// The first message of a ticket, unless the relay says that no machine may answer it.
    NewTickets,
    /// Everything, whatever the relay says: a desk that is set up wrongly.
    Everything,
}

/// The desk. It runs until the process ends.
#[derive(Clone)]
pub struct Desk {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    acknowledges: Acknowledges,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub struct State {
    /// Ids of requests that were handled.
    handled: HashSet<String>,
    pub tickets: Tickets,
    /// Events, in their order.
    pub events: Vec<Value>,
    /// Way to the relay, once the desk has a credential.
    submission: Option<Submission>,
    /// Number of messages that were submitted.
    submitted: usize,
}

#[derive(Clone)]
struct Submission {
    relay: SocketAddr,
    user: String,
    secret: String,
}

/// Message that the desk writes.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    pub from: &'a str,
    pub to: &'a [&'a str],
    pub subject: &'a str,
    pub text: &'a str,
    /// Cause: `agent` or `automatic`.
    pub trigger: &'a str,
}

impl Desk {
    /// Starts one that answers by this rule.
    pub fn start(acknowledges: Acknowledges) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            acknowledges,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let desk = Self { address, shared };
        let serving = desk.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let desk = serving.clone();
                std::thread::spawn(move || desk.serve(&stream));
            }
        });
        desk
    }

    /// Returns the lines of a relay's configuration that send mail and events to the desk.
    pub fn configuration(&self) -> String {
        let (desk, events) = (self.url("mail"), self.url("events"));
        format!(
            "[endpoint.desk]\nurl = {desk:?}\nsecrets = [{SECRET:?}]\nretry-seconds = [1]\n\
             [events.webhook.desk]\nurl = {events:?}\nsecrets = [{SECRET:?}]\nretry-seconds = [1]\n"
        )
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Gives it a credential for this listener.
    pub fn may_submit(&self, relay: SocketAddr, user: &str, secret: &str) {
        self.state().submission = Some(Submission {
            relay,
            user: user.to_owned(),
            secret: secret.to_owned(),
        });
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        let state = self.shared.state.lock();
        // A scenario that fails holds it; its report is the first one.
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the state has what is looked for.
    pub fn until<T>(&self, what: &str, look: impl Fn(&State) -> Option<T>) -> T {
        let (mut state, begun) = (self.state(), Instant::now());
        loop {
            if let Some(found) = look(&state) {
                return found;
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            assert!(
                !left.is_zero(),
                "the desk never has {what}: {:#?}\n{:#?}",
                state.tickets,
                state.events
            );
            state = self.shared.changed.wait_timeout(state, LOOK).unwrap().0;
        }
    }

    /// Waits until the state is as is wished, but no longer than this.
    pub fn within(&self, longest: Duration, look: impl Fn(&State) -> bool) {
        let state = self.state();
        let still = |state: &mut State| !look(state);
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, longest, still);
        drop(waited.unwrap());
    }

    /// Waits for a message by its Message-ID; returns the number of its ticket, and the message.
    pub fn got(&self, message_id: &str) -> (usize, Letter) {
        self.until(message_id, |state| {
            let (ticket, letter) = state.tickets.letter(message_id)?;
            Some((ticket, letter.clone()))
        })
    }

    /// Waits for an event of a transaction.
    pub fn told(&self, kind: &str, transaction: &str) -> Value {
        self.until(&format!("{kind} of {transaction}"), |state| {
            let mut events = state.events.iter();
            let found = events.find(|of| of["kind"] == kind && of["transaction"] == transaction);
            found.cloned()
        })
    }

    /// Returns the Message-ID of the desk's newest message in a ticket.
    pub fn newest_id(&self, ticket: usize) -> String {
        self.state().tickets.own(ticket).to_owned()
    }

    /// Answers the newest message of a ticket, as an agent; returns the transaction.
    pub fn answers(&self, ticket: usize, text: &str) -> String {
        self.replies(ticket, text, "agent").transaction()
    }

    fn replies(&self, ticket: usize, text: &str, trigger: &str) -> Reply {
        let (last, subject) = {
            let state = self.state();
            let last = state.tickets.newest(ticket).clone();
            let subject = last.subject.trim_start_matches("Re: ").to_owned();
            (last, format!("Re: {subject}"))
        };
        let draft = Draft {
            from: &last.address,
            to: &[&last.author],
            subject: &subject,
            text,
            trigger,
        };
        self.submits(ticket, &draft, Some(&last))
    }

    /// Opens a ticket by writing; returns its number and the reply.
    pub fn writes(&self, draft: &Draft<'_>) -> (usize, Reply) {
        let ticket = self.state().tickets.open();
        let reply = self.submits(ticket, draft, None);
        (ticket, reply)
    }

    fn submits(&self, ticket: usize, draft: &Draft<'_>, answered: Option<&Letter>) -> Reply {
        let (submission, message_id) = {
            let mut state = self.state();
            state.submitted += 1;
            let domain = draft.from.rsplit('@').next().unwrap();
            let id = format!(
                "<{}.{ticket}.{}@{domain}>",
                state.submitted,
                self.address.port()
            );
            // An answer may be here before the reply to the submission is.
            state.tickets.sends(ticket, &id);
            (state.submission.clone().unwrap(), id)
        };
        let metadata = json!({ "ticket": ticket });
        let mut message = format!(
            "From: Desk <{}>\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: {message_id}\r\n\
             Date: Mon, 2 Mar 2026 11:09:00 +0000\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             X-Gatepost-Trigger: {}\r\nX-Gatepost-Metadata: {metadata}\r\n",
            draft.from,
            draft.to.join(", "),
            draft.subject,
            draft.trigger,
        );
        if let Some(answered) = answered {
            let thread = answered.references.iter().chain([&answered.message_id]);
            let thread: Vec<_> = thread.map(String::as_str).collect();
            message += &format!(
                "In-Reply-To: {}\r\nReferences: {}\r\n",
                answered.message_id,
                thread.join("\r\n ")
            );
        }
        message += &format!("\r\n{}\r\n", draft.text);
        let client = Client::greeted(submission.relay);
        let mut client = client.authenticated(&submission.user, &submission.secret);
        let reply = client.deliver(draft.from, draft.to, message.as_bytes());
        let reply = reply.unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        self.state().tickets.sent(ticket, &reply.transaction());
        self.shared.changed.notify_all();
        reply
    }

    /// Files a message, and acknowledges it where that is due.
    fn files(&self, letter: Letter) {
        let is_open_to_machines = !letter.has_tag("suppress-automatic");
        let (ticket, is_new) = self.state().tickets.file(letter);
        self.shared.changed.notify_all();
        let is_due = match self.shared.acknowledges {
            Acknowledges::Never => false,
            Acknowledges::NewTickets => is_new && is_open_to_machines,
            Acknowledges::Everything => true,
        };
        if is_due {
            let text = format!("We got your message. It is ticket {ticket}.");
            self.replies(ticket, &text, "automatic");
        }
    }
}
