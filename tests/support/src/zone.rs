//! Contents of a test's name server: names with their records, and faults.
//!
//! One [`Zone`] holds names from anywhere, the reverse trees too, as a resolver's cache would: it
//! answers as a recursive server does, with the whole chain of a CNAME.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::rdata::{CNAME, MX, PTR, TXT};
pub use hickory_proto::rr::{Name, RData, RecordType};

/// Records and faults by name. Neither case nor a final dot matters; an absent name does not exist,
/// unless a longer one does.
#[derive(Debug, Clone)]
pub struct Zone {
    nodes: BTreeMap<String, Node>,
    ttl: u32,
}

/// Time for which answers may be cached, negative ones included: longer than any test.
const TTL: u32 = 3600;

impl Default for Zone {
    fn default() -> Self {
        Self {
            nodes: BTreeMap::new(),
            ttl: TTL,
        }
    }
}

/// Records and faults of one name.
#[derive(Debug, Clone, Default)]
struct Node {
    records: Vec<RData>,
    /// Faults of one type, or of all (`None`). The first that applies counts.
    faults: Vec<(Option<RecordType>, Fault)>,
}

/// Misbehaviour of a name server in place of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Answers SERVFAIL.
    ServFail,
    /// Does not reply: the resolver runs into its time-out.
    Silence,
    /// Replies with octets that are no DNS message.
    Garbage,
}

/// Answer of the zone to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Chain of aliases, each with its target, and the records of the last name.
    Records(Vec<(String, String)>, Vec<RData>),
    /// The name exists, perhaps through aliases, without such a record.
    NoData,
    /// It does not exist.
    NoName,
    /// A fault instead of an answer.
    Fault(Fault),
}

impl Zone {
    /// Returns an empty zone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time for which answers may be cached, in seconds.
    pub fn set_ttl(&mut self, ttl: u32) -> &mut Self {
        self.ttl = ttl;
        self
    }

    /// Returns the time for which answers may be cached, in seconds.
    pub(crate) fn ttl(&self) -> u32 {
        self.ttl
    }

    fn node(&mut self, name: &str) -> &mut Node {
        self.nodes.entry(canonical(name)).or_default()
    }

    /// Adds a record of any type.
    pub fn record(&mut self, name: &str, record: RData) -> &mut Self {
        self.node(name).records.push(record);
        self
    }

    /// Adds an A record.
    pub fn a(&mut self, name: &str, address: Ipv4Addr) -> &mut Self {
        self.record(name, RData::A(address.into()))
    }

    /// Adds an AAAA record.
    pub fn aaaa(&mut self, name: &str, address: Ipv6Addr) -> &mut Self {
        self.record(name, RData::AAAA(address.into()))
    }

    /// Adds an MX record; the null MX (RFC 7505) has the exchange `""`.
    pub fn mx(&mut self, name: &str, preference: u16, exchange: &str) -> &mut Self {
        let exchange = encoded(exchange);
        self.record(name, RData::MX(MX::new(preference, exchange)))
    }

    /// Adds a TXT record, cut into strings of 255 octets where it is longer.
    pub fn txt(&mut self, name: &str, text: impl AsRef<[u8]>) -> &mut Self {
        let strings: Vec<&[u8]> = text.as_ref().chunks(255).collect();
        self.txt_strings(name, &strings)
    }

    /// Adds a TXT record of these strings, each of at most 255 octets.
    pub fn txt_strings(&mut self, name: &str, strings: &[&[u8]]) -> &mut Self {
        let strings = if strings.is_empty() {
            vec![b"".as_slice()]
        } else {
            strings.to_vec()
        };
        self.record(name, RData::TXT(TXT::from_bytes(strings)))
    }

    /// Adds a PTR record for an address.
    pub fn ptr(&mut self, address: IpAddr, name: &str) -> &mut Self {
        self.ptr_at(&Name::from(address).to_ascii(), name)
    }

    /// Adds a PTR record at a name of the reverse trees.
    pub fn ptr_at(&mut self, reverse: &str, name: &str) -> &mut Self {
        self.record(reverse, RData::PTR(PTR(encoded(name))))
    }

    /// Makes a name an alias.
    pub fn cname(&mut self, name: &str, target: &str) -> &mut Self {
        self.record(name, RData::CNAME(CNAME(encoded(target))))
    }

    /// Lets a name exist, if need be without any record.
    pub fn exists(&mut self, name: &str) -> &mut Self {
        self.node(name);
        self
    }

    /// Sets a fault for every question about the name.
    pub fn fault(&mut self, name: &str, fault: Fault) -> &mut Self {
        self.node(name).faults.push((None, fault));
        self
    }

    /// Sets a fault for questions for one type of the name.
    pub fn fault_of(&mut self, name: &str, kind: RecordType, fault: Fault) -> &mut Self {
        self.node(name).faults.push((Some(kind), fault));
        self
    }

    /// Forgets a name, its records and faults.
    pub fn forget(&mut self, name: &str) -> &mut Self {
        self.nodes.remove(&canonical(name));
        self
    }

    /// Returns the answer to a question.
    pub fn look_up(&self, name: &str, kind: RecordType) -> Answer {
        let mut name = canonical(name);
        let mut chain: Vec<(String, String)> = Vec::new();
        loop {
            let Some(node) = self.nodes.get(&name) else {
                let below = format!(".{name}");
                let exists = self.nodes.keys().any(|known| known.ends_with(&below));
                return if exists {
                    Answer::NoData
                } else {
                    Answer::NoName
                };
            };
            let meets = |of: &Option<RecordType>| of.is_none_or(|of| of == kind);
            if let Some((_, fault)) = node.faults.iter().find(|(of, _)| meets(of)) {
                return Answer::Fault(*fault);
            }
            let records: Vec<RData> = node
                .records
                .iter()
                .filter(|record| record.record_type() == kind)
                .cloned()
                .collect();
            if !records.is_empty() {
                return Answer::Records(chain, records);
            }
            let alias = node.records.iter().find_map(|record| match record {
                RData::CNAME(CNAME(target)) => Some(decoded(target)),
                _ => None,
            });
            let Some(target) = alias else {
                return Answer::NoData;
            };
            // A recursive server treats a loop of aliases as a failure.
            if target == name || chain.iter().any(|(known, _)| *known == target) {
                return Answer::Fault(Fault::ServFail);
            }
            chain.push((name, target.clone()));
            name = target;
        }
    }
}

fn canonical(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Encodes a name as it is sent, whatever octets its labels have.
pub(crate) fn encoded(name: &str) -> Name {
    let name = name.trim_end_matches('.');
    let labels = name.split('.').filter(|label| !label.is_empty());
    let mut name = Name::from_labels(labels.map(str::as_bytes))
        .unwrap_or_else(|error| panic!("{name:?} is no name: {error}"));
    name.set_fqdn(true);
    name
}

/// Decodes a name that was sent, in lower case without its final dot.
pub(crate) fn decoded(name: &Name) -> String {
    let labels = name.iter().map(String::from_utf8_lossy);
    canonical(&labels.collect::<Vec<_>>().join("."))
}
