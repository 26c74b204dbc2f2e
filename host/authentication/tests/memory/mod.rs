//! The zone of a test as [`Dns`], without a name server: for tests that ask often.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};

use gatepost_dns::{Dns, Found, MailExchange, Unavailable};
use parking_lot::Mutex;
use test_support::Zone;
use test_support::zone::{Answer, Name, RData, RecordType};

/// Zone that counts its questions.
#[derive(Debug, Default)]
pub struct InMemory {
    zone: Zone,
    asked: AtomicUsize,
    names: Mutex<Vec<String>>,
}

impl InMemory {
    /// Makes a [`Dns`] of a zone.
    pub fn new(zone: Zone) -> Self {
        Self {
            zone,
            asked: AtomicUsize::new(0),
            names: Mutex::default(),
        }
    }

    /// Returns the number of questions so far.
    #[allow(dead_code, reason = "not every test asks")]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Returns the number of questions about names at or below another.
    #[allow(dead_code, reason = "not every test asks")]
    pub fn asked_below(&self, above: &str) -> usize {
        let names = self.names.lock();
        names.iter().filter(|name| name.ends_with(above)).count()
    }

    fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        wanted: impl Fn(&RData) -> Option<T>,
    ) -> Result<Found<T>, Unavailable> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut names = self.names.lock();
        names.push(name.to_owned());
        drop(names);
        match self.zone.look_up(name, kind) {
            Answer::Records(_, records) => {
                Ok(Found::Records(records.iter().filter_map(wanted).collect()))
            }
            Answer::NoData => Ok(Found::NoData),
            Answer::NoName => Ok(Found::NoName),
            Answer::Fault(fault) => Err(Unavailable {
                name: name.to_owned(),
                why: format!("{fault:?}"),
                beyond_budget: false,
            }),
        }
    }
}

fn dns_text(name: &Name) -> String {
    name.to_lowercase()
        .to_ascii()
        .trim_end_matches('.')
        .to_owned()
}

impl Dns for InMemory {
    async fn txt(&self, name: &str) -> Result<Found<Box<[u8]>>, Unavailable> {
        self.ask(name, RecordType::TXT, |data| match data {
            RData::TXT(txt) => Some(txt.txt_data.concat().into_boxed_slice()),
            _ => None,
        })
    }

    async fn a(&self, name: &str) -> Result<Found<Ipv4Addr>, Unavailable> {
        self.ask(name, RecordType::A, |data| match data {
            RData::A(address) => Some(address.0),
            _ => None,
        })
    }

    async fn aaaa(&self, name: &str) -> Result<Found<Ipv6Addr>, Unavailable> {
        self.ask(name, RecordType::AAAA, |data| match data {
            RData::AAAA(address) => Some(address.0),
            _ => None,
        })
    }

    async fn mx(&self, name: &str) -> Result<Found<MailExchange>, Unavailable> {
        self.ask(name, RecordType::MX, |data| match data {
            RData::MX(mx) => Some(MailExchange {
                preference: mx.preference,
                host: dns_text(&mx.exchange),
            }),
            _ => None,
        })
    }

    async fn ptr(&self, address: IpAddr) -> Result<Found<String>, Unavailable> {
        let reverse = Name::from(address).to_ascii();
        self.ask(&reverse, RecordType::PTR, |data| match data {
            RData::PTR(ptr) => Some(dns_text(&ptr.0)),
            _ => None,
        })
    }
}
