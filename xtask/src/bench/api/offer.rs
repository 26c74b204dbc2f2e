//! Messages at a steady rate, whatever the answers take: an open loop.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Time in which all clients are awake before the first message is due.
const HEAD_START: Duration = Duration::from_millis(50);

/// Messages that are offered.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// Messages a second.
    pub rate: u32,
    /// Seconds for which they are offered.
    pub seconds: u32,
    /// Clients, each with one connection.
    pub clients: usize,
}

/// Answer to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferAnswer {
    /// It was accepted as this transaction.
    Accepted(String),
    /// It was answered with another status.
    Refused(u16),
    /// The connection ended.
    Broken,
}

/// Message that was offered.
#[derive(Debug)]
struct OneOffered {
    name: String,
    /// Time from when it was due until it was answered.
    wait: Duration,
    answer: OfferAnswer,
}

/// Message that was accepted.
#[derive(Debug, Clone, Copy)]
pub struct AcceptedOffer<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its transaction.
    pub id: &'a str,
}

/// Messages that were offered, and what became of them.
#[derive(Debug)]
pub struct Offered {
    messages: Vec<OneOffered>,
    /// Time from when the first was due until the last was answered.
    time: Duration,
}

impl Offer {
    /// Offers messages named after `name`. Each client has what `connect` returns, and hands it to `send`
    /// with the number and the name of a message when that is due, or as soon as a client is free.
    ///
    /// # Errors
    /// A client does not connect at first, or panics.
    pub fn make<C>(
        self,
        name: &str,
        connect: impl Fn() -> Result<C> + Sync,
        send: impl Fn(&mut C, u64, &str) -> OfferAnswer + Sync,
    ) -> Result<Offered> {
        let all = u64::from(self.rate) * u64::from(self.seconds);
        let (next, messages) = (AtomicU64::new(0), Mutex::new(Vec::new()));
        let ready = Barrier::new(self.clients);
        let begin = std::sync::OnceLock::new();
        let client = || -> Result<()> {
            let connected = connect();
            // A client that failed must not hold up the others.
            ready.wait();
            let mut connection = connected?;
            let begin = *begin.get_or_init(|| Instant::now() + HEAD_START);
            let mut own = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= all {
                    break;
                }
                let due =
                    begin + Duration::from_secs(1).mul_f64(number as f64 / f64::from(self.rate));
                thread::sleep(due.saturating_duration_since(Instant::now()));
                let name = format!("{name}-{number}");
                let answer = send(&mut connection, number, &name);
                let wait = due.elapsed();
                if answer == OfferAnswer::Broken {
                    connection = connect()?;
                }
                own.push(OneOffered { name, wait, answer });
            }
            messages
                .lock()
                .unwrap_or_else(|e| e.into_inner())
                .append(&mut own);
            Ok(())
        };
        thread::scope(|scope| {
            let clients: Vec<_> = (0..self.clients).map(|_| scope.spawn(client)).collect();
            let mut ends = clients.into_iter().map(|client| client.join());
            ends.try_for_each(|end| end.ok().context("a client panicked")?)
        })?;
        let time = begin
            .into_inner()
            .map_or(Duration::ZERO, |begin| begin.elapsed());
        let messages = messages.into_inner().unwrap_or_else(|e| e.into_inner());
        Ok(Offered { messages, time })
    }
}

impl Offered {
    /// Returns the messages that were accepted.
    pub fn accepted(&self) -> impl Iterator<Item = AcceptedOffer<'_>> {
        self.messages.iter().filter_map(|one| match &one.answer {
            OfferAnswer::Accepted(id) => Some(AcceptedOffer {
                name: &one.name,
                id,
            }),
            OfferAnswer::Refused(_) | OfferAnswer::Broken => None,
        })
    }

    /// Returns the messages that were accepted a second.
    pub fn accepted_a_second(&self) -> f64 {
        self.accepted().count() as f64 / self.time.as_secs_f64()
    }

    /// Returns the number of messages that were not accepted.
    pub fn not_accepted(&self) -> usize {
        self.messages.len() - self.accepted().count()
    }

    /// Returns the waits of all messages, accepted or not.
    pub fn waits(&self) -> Vec<Duration> {
        self.messages.iter().map(|one| one.wait).collect()
    }
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut refused: BTreeMap<u16, usize> = BTreeMap::new();
        let mut broken = 0;
        for one in &self.messages {
            match one.answer {
                OfferAnswer::Accepted(_) => {}
                OfferAnswer::Refused(status) => *refused.entry(status).or_default() += 1,
                OfferAnswer::Broken => broken += 1,
            }
        }
        let (rate, all) = (self.accepted_a_second(), self.messages.len());
        write!(f, "{rate:.0} accepted/s of {all}")?;
        for (status, count) in refused {
            write!(f, ", {count} answered {status}")?;
        }
        match broken {
            0 => Ok(()),
            broken => write!(f, ", {broken} connections ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_counts_from_when_the_message_was_due() -> Result<()> {
        // One client that takes 20 ms over each of ten messages, all of them due within 10 ms.
        let offer = Offer {
            rate: 1000,
            seconds: 1,
            clients: 1,
        };
        let connect = || Ok(());
        let send = |(): &mut (), number: u64, _: &str| {
            if number < 10 {
                thread::sleep(Duration::from_millis(20));
            }
            match number % 2 {
                0 => OfferAnswer::Accepted(number.to_string()),
                _ => OfferAnswer::Refused(503),
            }
        };
        let offered = offer.make("one", connect, send)?;
        assert_eq!(
            (offered.accepted().count(), offered.not_accepted()),
            (500, 500)
        );
        let tenth = offered.messages.iter().find(|one| one.name == "one-9");
        assert!(tenth.is_some_and(|one| one.wait >= Duration::from_millis(190)));
        assert!(
            offered.to_string().ends_with("of 1000, 500 answered 503"),
            "{offered}"
        );
        Ok(())
    }
}
