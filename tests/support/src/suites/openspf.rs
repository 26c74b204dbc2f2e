//! OpenSPF's suite for RFC 7208: each of its scenarios has a DNS of its own.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::Deserialize;

use super::read;
use crate::zone::{Fault, RecordType};
use crate::{Zone, conformance};

/// Number of tests in the suite.
const TESTS: usize = 203;
/// Number of scenarios that they are in.
const SCENARIOS: usize = 16;

/// One document of the suite.
#[derive(Debug, Clone, Deserialize)]
pub struct Scenario {
    /// Description.
    pub description: String,
    /// Tests by their names.
    pub tests: BTreeMap<String, Case>,
    zonedata: BTreeMap<String, Vec<Entry>>,
}

/// One test.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// Argument of EHLO.
    pub helo: String,
    /// Address of the client.
    pub host: IpAddr,
    /// Reverse-path.
    pub mailfrom: String,
    result: OneOf,
    explanation: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum OneOf {
    This(String),
    AnyOf(Vec<String>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Entry {
    Records(BTreeMap<String, Value>),
    /// `TIMEOUT`: no reply for types that have no records.
    Timeout(String),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Value {
    Mx(u16, String),
    Strings(Vec<String>),
    One(String),
}

impl Scenario {
    /// Returns all scenarios.
    pub fn all() -> Option<Vec<Self>> {
        let text = read(&conformance("spf-openspf")?.join("rfc7208-tests.yml"));
        let all: Vec<Self> = serde_saphyr::from_multiple(&text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(all.len(), SCENARIOS);
        assert_eq!(all.iter().map(|one| one.tests.len()).sum::<usize>(), TESTS);
        Some(all)
    }

    /// Returns the DNS of the scenario.
    pub fn zone(&self) -> Zone {
        let mut zone = Zone::new();
        for (name, entries) in &self.zonedata {
            serve(&mut zone, name, entries);
        }
        zone
    }

    /// Returns the scenario with a letter of each record's version changed.
    pub fn altered(mut self) -> Self {
        let alter = |text: &mut String| {
            if let Some(version) = text
                .get_mut(..6)
                .filter(|v| v.eq_ignore_ascii_case("v=spf1"))
            {
                version.make_ascii_lowercase();
                *text = text.replacen("v=spf1", "v=spg1", 1);
            }
        };
        for entry in self.zonedata.values_mut().flatten() {
            if let Entry::Records(records) = entry {
                for value in records.values_mut() {
                    match value {
                        Value::One(text) => alter(text),
                        Value::Strings(strings) => strings.iter_mut().for_each(alter),
                        Value::Mx(..) => {}
                    }
                }
            }
        }
        self
    }
}

impl Case {
    /// Returns true if its result needs a record: all but these two do.
    pub fn is_about_a_record(&self) -> bool {
        let without = |result: &String| result == "none" || result == "temperror";
        match &self.result {
            OneOf::This(only) => !without(only),
            OneOf::AnyOf(some) => !some.iter().any(without),
        }
    }

    /// Returns true if this result is among the right ones.
    pub fn allows(&self, result: &str) -> bool {
        match &self.result {
            OneOf::This(only) => only == result,
            OneOf::AnyOf(some) => some.iter().any(|one| one == result),
        }
    }

    /// Returns true if this is the domain's explanation; `None` stands for the receiver's own.
    pub fn explains(&self, explanation: Option<&str>) -> bool {
        match self.explanation.as_deref() {
            None => true,
            Some("DEFAULT") => explanation.is_none(),
            Some(text) => explanation == Some(text),
        }
    }
}

/// Adds the suite's entries of a name to the zone (its ORIGIN.md says how to read them).
fn serve(zone: &mut Zone, name: &str, entries: &[Entry]) {
    zone.exists(name);
    let records = || {
        entries.iter().flat_map(|entry| match entry {
            Entry::Records(records) => records.iter().collect::<Vec<_>>(),
            Entry::Timeout(_) => Vec::new(),
        })
    };
    // Records of the old type SPF stand for TXT if the suite names no TXT at all, not even `NONE`.
    let text = if records().any(|(kind, _)| kind == "TXT") {
        "TXT"
    } else {
        "SPF"
    };
    let mut silent = entries.iter().any(|entry| match entry {
        Entry::Timeout(word) => word == "TIMEOUT",
        Entry::Records(_) => false,
    });
    let mut kinds = Vec::new();
    for (kind, value) in records() {
        let kind = match (kind.as_str(), value) {
            (_, Value::One(word)) if word == "NONE" => continue,
            (_, Value::One(word)) if word == "TIMEOUT" => {
                silent = true;
                continue;
            }
            ("A", Value::One(address)) => {
                zone.a(name, parsed::<Ipv4Addr>(address));
                RecordType::A
            }
            ("AAAA", Value::One(address)) => {
                zone.aaaa(name, parsed::<Ipv6Addr>(address));
                RecordType::AAAA
            }
            ("MX", Value::Mx(preference, exchange)) => {
                zone.mx(name, *preference, exchange);
                RecordType::MX
            }
            ("PTR", Value::One(target)) => {
                zone.ptr_at(name, target);
                RecordType::PTR
            }
            ("CNAME", Value::One(target)) => {
                zone.cname(name, target);
                RecordType::CNAME
            }
            (kind, Value::One(string)) if kind == text => {
                zone.txt(name, octets(string));
                RecordType::TXT
            }
            (kind, Value::Strings(strings)) if kind == text => {
                let strings: Vec<Vec<u8>> = strings.iter().map(|string| octets(string)).collect();
                let strings: Vec<&[u8]> = strings.iter().map(Vec::as_slice).collect();
                zone.txt_strings(name, &strings);
                RecordType::TXT
            }
            ("SPF" | "TXT", _) => continue,
            other => panic!("{name}: {other:?}"),
        };
        kinds.push(kind);
    }
    if silent {
        use RecordType::{A, AAAA, MX, PTR, TXT};
        for kind in [A, AAAA, MX, PTR, TXT] {
            if !kinds.contains(&kind) {
                zone.fault_of(name, kind, Fault::Silence);
            }
        }
    }
}

fn parsed<T: FromStr>(address: &str) -> T {
    let parsed = address.parse();
    parsed.unwrap_or_else(|_| panic!("no address: {address}"))
}

/// Decodes text in which the suite writes octets as the characters of that number.
fn octets(text: &str) -> Vec<u8> {
    let octet = |c| u8::try_from(u32::from(c)).unwrap_or_else(|_| panic!("no octets: {text}"));
    text.chars().map(octet).collect()
}
