//! Clients that send distinguishable messages, and report which were acknowledged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use crate::{Client, PATIENCE};

/// Interval of the messages that are large enough to be stored outside the database.
pub(super) const LARGE_EVERY: usize = 16;

/// Octets of a large body.
const LARGE: usize = 400 << 10;

/// Clients at work.
pub struct Load {
    acknowledged: Receiver<String>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts `clients` connections, each sending one message after the other until the relay is
    /// gone.
    pub fn start(relay: SocketAddr, round: u32, clients: usize) -> Self {
        let (sender, acknowledged) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..clients).map(|client| {
            let sender = sender.clone();
            let stop = stop.clone();
            std::thread::spawn(move || {
                let Ok(mut connection) = Client::connect(relay) else {
                    return;
                };
                if connection.reply().is_err() || connection.send("EHLO load.example\r\n").is_err()
                {
                    return;
                }
                let _ = connection.reply();
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let name = format!("{round}-{client}-{number}");
                    let message = message(&name, number % LARGE_EVERY == LARGE_EVERY - 1);
                    match connection.deliver(
                        "load@sender.example",
                        &["sink@desk.example"],
                        &message,
                    ) {
                        Ok(reply) if reply.code == 250 => {
                            if sender.send(name).is_err() {
                                return;
                            }
                        }
                        Ok(_) => {}
                        Err(_) => return,
                    }
                }
            })
        });
        let threads = threads.collect();
        Self {
            acknowledged,
            stop,
            threads,
        }
    }

    /// Returns the name of the next message that got a 250.
    pub fn acknowledged(&self) -> Option<String> {
        self.acknowledged.recv_timeout(PATIENCE).ok()
    }

    /// Stops; returns the names of the other acknowledged messages.
    pub fn finish(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
        self.acknowledged.try_iter().collect()
    }
}

/// Returns a message whose body follows from its name.
fn message(name: &str, large: bool) -> Vec<u8> {
    let head = format!(
        "From: <load@sender.example>\r\nTo: <sink@desk.example>\r\nSubject: load\r\n\
         X-Load: {name} {}\r\n\r\n",
        if large { "large" } else { "small" }
    );
    let mut message = head.into_bytes();
    message.extend(body(name, large));
    message
}

pub(super) fn body(name: &str, large: bool) -> Vec<u8> {
    let line = format!(".{name} {}\r\n", "x".repeat(60));
    let lines = if large {
        LARGE / line.len()
    } else {
        1 + name.len() % 7
    };
    line.repeat(lines).into_bytes()
}

/// Returns the name of a message that arrived with the octets that were sent.
pub fn whole(arrived: &[u8]) -> Option<String> {
    let end = arrived
        .windows(4)
        .position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&arrived[..end]).into_owned();
    let load = head
        .split("\r\n")
        .find_map(|line| line.strip_prefix("X-Load: "))?;
    let (name, size) = load.split_once(' ')?;
    (arrived[end + 4..] == body(name, size == "large")).then(|| name.to_owned())
}
