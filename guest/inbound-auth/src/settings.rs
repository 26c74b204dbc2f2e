//! The settings of inbound-auth. An account may set any of them for itself.

use std::net::IpAddr;

use gatepost_sdk::settings_of_account;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the origin of mail is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// What mail that comes directly has to prove.
    pub mode: Mode,
    /// What becomes of mail that does not prove what the mode `enhanced` demands.
    pub enhanced_failure: Failure,
    /// What becomes of mail whose author nobody can tell: From has no address, more than is judged,
    /// or cannot be read. In both modes, and forwarded mail, too.
    pub unreadable_author: UnreadableAuthor,
    /// What becomes of mail for a two-way domain that did not come through its relay.
    pub unauthenticated: Unauthenticated,
    /// Domains whose ARC seals are believed.
    pub trusted_sealers: Vec<String>,
    /// Mail that is let through, whatever else holds for it. What can be forged is no proof:
    /// prefer networks.
    pub allow: Senders,
    /// Mail that is refused, also where it is allowed.
    pub deny: Senders,
    /// Where a message that was forwarded more than once says for whom a machine would answer:
    /// fields in the order in which they are looked into.
    #[schemars(length(min = 1))]
    pub requester_from: Vec<String>,
    /// The field that tells the requester to whoever is downstream.
    #[schemars(length(min = 1, max = 76))]
    pub requester_header: String,
}

/// What mail that comes directly has to prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// What the author's domain asks for by its DMARC policy.
    Standard,
    /// That the author's domain has sent it, whether or not that asks for it.
    Enhanced,
}

/// What becomes of mail that proves too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Kept apart for a person to look at.
    Quarantine,
    /// Refused with 550 5.7.1.
    Refuse,
}

/// What becomes of mail whose author nobody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnreadableAuthor {
    /// Refused with 550 5.6.0.
    Refuse,
    /// Kept apart for a person to look at.
    Quarantine,
}

/// What becomes of mail for a two-way domain that did not come through its relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unauthenticated {
    /// Taken, tagged `relay-missing`, and the operator is told.
    Tag,
    /// Refused with 550 5.7.1.
    Refuse,
}

/// Who hands mail over, or has written it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Senders {
    /// Networks of clients, such as `192.0.2.0/24`; or single addresses.
    pub networks: Vec<Network>,
    /// Domains of reverse-path or author, subdomains included.
    pub domains: Vec<String>,
    /// Addresses of reverse-path or author.
    pub addresses: Vec<String>,
}

/// A network in CIDR form, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether a client's address, in text form, is in it.
    pub fn contains(self, client: &str) -> bool {
        client
            .parse::<IpAddr>()
            .is_ok_and(|client| self.0.contains(&client.to_canonical()))
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse().or(address);
        network
            .map(Self)
            .map_err(|_| format!("{text:?} is not a network such as 192.0.2.0/24"))
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0.to_string()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Standard,
            enhanced_failure: Failure::Quarantine,
            unreadable_author: UnreadableAuthor::Refuse,
            unauthenticated: Unauthenticated::Tag,
            trusted_sealers: Vec::new(),
            allow: Senders::default(),
            deny: Senders::default(),
            requester_from: vec!["reply-to".into(), "to".into()],
            requester_header: "X-Gatepost-Requester".into(),
        }
    }
}

impl Settings {
    /// What is wrong with them that the schema cannot say.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut name = |at: String, name: &str| {
            let plausible = |b: u8| (33..=126).contains(&b) && b != b':';
            if name.is_empty() || !name.bytes().all(plausible) {
                problems.push(format!("{at}: {name:?} is not a header's name"));
            }
        };
        name("/requester-header".into(), &self.requester_header);
        for (at, field) in self.requester_from.iter().enumerate() {
            name(format!("/requester-from/{at}"), field);
        }
        problems
    }

    /// The same with what the transaction's account has set for itself.
    ///
    /// # Errors
    /// A sentence that says what does not fit in what the account has set.
    pub fn of_account(&self) -> Result<Option<Self>, String> {
        let Some(own) = settings_of_account::<serde_json::Map<String, serde_json::Value>>()? else {
            return Ok(None);
        };
        let mut merged = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Some(merged) = merged.as_object_mut() {
            merged.extend(own);
        }
        let merged: Self = serde_json::from_value(merged).map_err(|error| error.to_string())?;
        match merged.problems().into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(Some(merged)),
        }
    }
}

impl Senders {
    /// Whether the client, or one of the addresses of who has sent and written a message, is meant;
    /// and which.
    pub fn mean<'a>(&self, client: &'a str, addresses: &[&'a str]) -> Option<&'a str> {
        if self.networks.iter().any(|network| network.contains(client)) {
            return Some(client);
        }
        let mut addresses = addresses
            .iter()
            .copied()
            .filter(|address| !address.is_empty());
        addresses.find(|address| {
            let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
            self.domains.iter().any(|of| is_in(domain, of))
                || (self.addresses.iter()).any(|named| named.eq_ignore_ascii_case(address))
        })
    }
}

/// Whether a domain is another, or below it.
pub fn is_in(domain: &str, of: &str) -> bool {
    let (domain, of) = (domain.to_lowercase(), of.to_lowercase());
    let above = domain.strip_suffix(&of);
    !of.is_empty() && above.is_some_and(|below| below.is_empty() || below.ends_with('.'))
}
