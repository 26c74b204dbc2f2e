//! Clients that submit distinguishable messages over HTTP and over SMTP until the relay is gone, and
//! report what they were told.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::json;

use super::super::load::{LARGE_EVERY, body};
use super::{ADDRESS, NATIVE};
use crate::{ApiConnection, Client, PATIENCE, Relay};

/// Clients at once over HTTP, and over SMTP.
const HTTP_CLIENTS: usize = 6;
const SMTP_CLIENTS: usize = 3;

/// Interval of the requests that a client makes again though they were answered.
const REPEATED_EVERY: usize = 8;

/// Recipient of all messages.
const RECIPIENT: &str = "sink@customer.example";

/// Relay as clients know it, until it dies.
#[derive(Debug, Clone)]
pub struct Desk {
    api: SocketAddr,
    submission: SocketAddr,
    token: String,
}

/// Request over HTTP, which is made under its name as the key.
#[derive(Debug, Clone)]
pub struct KeyedPost {
    pub name: String,
    /// True if its body is large enough to be stored outside the database, and comes as it is.
    large: bool,
}

/// Report of a client.
#[derive(Debug)]
pub enum Said {
    /// A request got a 202: its name, and its transaction.
    Answered(String, String),
    /// A message over SMTP got a 250: its name, and its transaction.
    Acknowledged(String, String),
    /// A request got no answer.
    Unanswered(KeyedPost),
    /// A request that was to be made again was not made.
    Untried(KeyedPost),
    /// A request got another answer than it had to, in a sentence.
    Refused(String),
}

impl KeyedPost {
    /// Makes the request, as often as it is made the same.
    fn make(&self, connection: &mut ApiConnection) -> io::Result<Said> {
        let Self { name, large } = self;
        let path = format!("/accounts/{NATIVE}/messages");
        let key = format!("Idempotency-Key: {name}\r\n");
        let answer = match large {
            false => {
                let text = String::from_utf8_lossy(&body(name, false)).into_owned();
                let message = json!({ "message": {
                    "from": ADDRESS, "to": [RECIPIENT], "subject": "load", "text": text,
                    "trigger": "agent", "metadata": name,
                    "headers": { "X-Load": format!("{name} small") },
                }});
                let fields = key + "Content-Type: application/json\r\n";
                connection.post(&path, &fields, message.to_string().as_bytes())
            }
            true => {
                let path = format!("{path}?from={ADDRESS}&to={RECIPIENT}");
                let fields = key + "Content-Type: message/rfc822\r\n";
                connection.post(&path, &fields, &message(name, ADDRESS, true))
            }
        }?;
        let id = answer.body["id"].as_str();
        Ok(match (answer.status, id) {
            (202, Some(id)) => Said::Answered(name.clone(), id.to_owned()),
            _ => Said::Refused(format!(
                "{name} was answered {}: {}",
                answer.status, answer.text
            )),
        })
    }
}

/// Returns a message whose body follows from its name, and which its events name.
fn message(name: &str, author: &str, large: bool) -> Vec<u8> {
    let size = if large { "large" } else { "small" };
    let head = format!(
        "From: <{author}>\r\nTo: <{RECIPIENT}>\r\nSubject: load\r\nX-Load: {name} {size}\r\n\
         X-Gatepost-Metadata: {name}\r\n\r\n"
    );
    [head.as_bytes(), &body(name, large)].concat()
}

impl Desk {
    /// Returns the addresses of a relay that has just started.
    pub fn at(relay: &Relay, token: &str) -> Self {
        Self {
            api: relay.address("api"),
            submission: relay.address("submission"),
            token: token.to_owned(),
        }
    }

    /// Makes requests again, of a relay that goes on living.
    pub fn repeat(&self, posts: Vec<KeyedPost>) -> Vec<Said> {
        let mut connection = ApiConnection::open(self.api, &self.token)
            .unwrap_or_else(|error| panic!("{}: {error}", self.api));
        let make = |post: KeyedPost| {
            let made = post.make(&mut connection);
            made.unwrap_or(Said::Unanswered(post))
        };
        posts.into_iter().map(make).collect()
    }

    /// Connects to the listener for submissions, and logs in.
    fn log_in(&self) -> io::Result<Client> {
        let mut client = Client::connect(self.submission)?;
        client.reply()?;
        for line in ["EHLO load.example", "STARTTLS"] {
            client.send(format!("{line}\r\n"))?;
            client.reply()?;
        }
        client.secure()?;
        let user = STANDARD.encode("\0user\0secret");
        for line in ["EHLO load.example".to_owned(), format!("AUTH PLAIN {user}")] {
            client.send(format!("{line}\r\n"))?;
            client.reply()?;
        }
        Ok(client)
    }
}

/// Clients at work.
pub struct Clients {
    said: Receiver<Said>,
    waiting: Arc<Mutex<VecDeque<KeyedPost>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

/// Client of one connection.
struct OneClient {
    desk: Desk,
    /// Beginning of the names of its messages.
    name: String,
    waiting: Arc<Mutex<VecDeque<KeyedPost>>>,
    stop: Arc<AtomicBool>,
    says: Sender<Said>,
}

impl Clients {
    /// Starts clients, which make these requests again before new ones.
    pub fn start(desk: &Desk, round: u32, again: Vec<KeyedPost>) -> Self {
        let (says, said) = channel();
        let waiting = Arc::new(Mutex::new(VecDeque::from(again)));
        let stop = Arc::<AtomicBool>::default();
        let client = |kind: &str, number: usize| OneClient {
            desk: desk.clone(),
            name: format!("{round}-{kind}{number}"),
            waiting: Arc::clone(&waiting),
            stop: Arc::clone(&stop),
            says: says.clone(),
        };
        let http = (0..HTTP_CLIENTS).map(|number| {
            let client = client("http", number);
            thread::spawn(move || client.posts())
        });
        let smtp = (0..SMTP_CLIENTS).map(|number| {
            let client = client("smtp", number);
            thread::spawn(move || client.submits())
        });
        let threads = http.chain(smtp).collect();
        Self {
            said,
            waiting,
            stop,
            threads,
        }
    }

    /// Returns the next report.
    pub fn next(&self) -> Option<Said> {
        self.said.recv_timeout(PATIENCE).ok()
    }

    /// Ends the clients; returns the other reports.
    pub fn finish(self) -> Vec<Said> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            // A connection that broke off is what was wanted.
            let _ = thread.join();
        }
        let untried = std::mem::take(&mut *self.waiting.lock());
        let untried = untried.into_iter().map(Said::Untried);
        self.said.try_iter().chain(untried).collect()
    }
}

impl OneClient {
    /// Makes requests over HTTP, each under its key.
    fn posts(self) -> io::Result<()> {
        let mut connection = ApiConnection::open(self.desk.api, &self.desk.token)?;
        for number in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let new = || KeyedPost {
                name: format!("{}-{number}", self.name),
                large: number % LARGE_EVERY == LARGE_EVERY - 1,
            };
            let post = self.waiting.lock().pop_front();
            let post = post.unwrap_or_else(new);
            let times = 1 + usize::from(number % REPEATED_EVERY == 0);
            for _ in 0..times {
                match post.make(&mut connection) {
                    Ok(said) => self.say(said),
                    Err(error) => {
                        self.say(Said::Unanswered(post));
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// Submits messages over SMTP.
    fn submits(self) -> io::Result<()> {
        let mut connection = self.desk.log_in()?;
        for number in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let name = format!("{}-{number}", self.name);
            let large = number % LARGE_EVERY == LARGE_EVERY - 1;
            let message = message(&name, "ann@desk.example", large);
            let reply = connection.deliver("ann@desk.example", &[RECIPIENT], &message)?;
            self.say(match reply.code {
                250 => Said::Acknowledged(name, reply.transaction()),
                code => Said::Refused(format!("{name} got {code}: {}", reply.text())),
            });
        }
        Ok(())
    }

    fn say(&self, said: Said) {
        // Nobody hears a client whose run has failed.
        let _ = self.says.send(said);
    }
}
