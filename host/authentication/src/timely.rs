//! The end of all questions: after it, nothing is waited for.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::time::{Instant, timeout_at};

use crate::{Dns, Found, Unavailable};

/// Answers until a moment.
pub(crate) struct Timely<'a, D> {
    pub(crate) dns: &'a D,
    pub(crate) until: Instant,
}

impl<D: Dns> Timely<'_, D> {
    async fn ask<T>(
        &self,
        name: &str,
        answer: impl Future<Output = Result<Found<T>, Unavailable>> + Send,
    ) -> Result<Found<T>, Unavailable> {
        timeout_at(self.until, answer).await.unwrap_or_else(|_| {
            Err(Unavailable {
                name: name.to_owned(),
                why: "the time for this message's look-ups is over".to_owned(),
            })
        })
    }
}

impl<D: Dns> Dns for Timely<'_, D> {
    async fn txt(&self, name: &str) -> Result<Found<Box<[u8]>>, Unavailable> {
        self.ask(name, self.dns.txt(name)).await
    }

    async fn a(&self, name: &str) -> Result<Found<Ipv4Addr>, Unavailable> {
        self.ask(name, self.dns.a(name)).await
    }

    async fn aaaa(&self, name: &str) -> Result<Found<Ipv6Addr>, Unavailable> {
        self.ask(name, self.dns.aaaa(name)).await
    }

    async fn mx(&self, name: &str) -> Result<Found<String>, Unavailable> {
        self.ask(name, self.dns.mx(name)).await
    }

    async fn ptr(&self, address: IpAddr) -> Result<Found<String>, Unavailable> {
        self.ask(&address.to_string(), self.dns.ptr(address)).await
    }
}
