//! DNS within the bounds of one check.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gatepost_dns::{Dns, Found, MailExchange, Unavailable};
use tokio::time::{Instant, timeout_at};

/// Most questions of one check.
const MOST_QUESTIONS: usize = 800;

/// Time for all questions of one check.
const TIME: Duration = Duration::from_secs(45);

/// Most records of one answer.
const MOST_RECORDS: usize = 100;

/// DNS of one check: so many questions, so much time, so many records in an answer.
pub(crate) struct BoundedDns<'a, D> {
    dns: &'a D,
    left: AtomicUsize,
    until: Instant,
}

impl<'a, D: Dns> BoundedDns<'a, D> {
    pub(crate) fn new(dns: &'a D) -> Self {
        Self {
            dns,
            left: AtomicUsize::new(MOST_QUESTIONS),
            until: Instant::now() + TIME,
        }
    }

    async fn ask<T>(
        &self,
        name: &str,
        question: impl Future<Output = Result<Found<T>, Unavailable>>,
    ) -> Result<Found<T>, Unavailable> {
        let refused = |why: &str, beyond_budget| Unavailable {
            name: name.to_owned(),
            why: why.to_owned(),
            beyond_budget,
        };
        let spend = |left: usize| left.checked_sub(1);
        let spent = (self.left).fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        if spent.is_err() {
            let why = format!("the records ask for more than {MOST_QUESTIONS} look-ups");
            return Err(refused(&why, true));
        }
        let answer = timeout_at(self.until, question).await;
        let found = answer.map_err(|_| refused("the time for the check is over", false))??;
        match found.records().len() <= MOST_RECORDS {
            true => Ok(found),
            false => {
                let why = format!("there are more than {MOST_RECORDS} records");
                Err(refused(&why, true))
            }
        }
    }
}

impl<D: Dns> Dns for BoundedDns<'_, D> {
    async fn txt(&self, name: &str) -> Result<Found<Box<[u8]>>, Unavailable> {
        self.ask(name, self.dns.txt(name)).await
    }

    async fn a(&self, name: &str) -> Result<Found<Ipv4Addr>, Unavailable> {
        self.ask(name, self.dns.a(name)).await
    }

    async fn aaaa(&self, name: &str) -> Result<Found<Ipv6Addr>, Unavailable> {
        self.ask(name, self.dns.aaaa(name)).await
    }

    async fn mx(&self, name: &str) -> Result<Found<MailExchange>, Unavailable> {
        self.ask(name, self.dns.mx(name)).await
    }

    async fn ptr(&self, address: IpAddr) -> Result<Found<String>, Unavailable> {
        self.ask(&address.to_string(), self.dns.ptr(address)).await
    }
}
