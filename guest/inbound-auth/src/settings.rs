//! Settings of inbound-auth. An account may override any of them for itself.

use std::net::IpAddr;

use gatepost_sdk::settings_of_account;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Requirements on the origin of inbound mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Proof required of mail that comes directly.
    pub mode: Mode,
    /// Treatment of mail without the proof that the mode `enhanced` requires.
    pub enhanced_failure: Failure,
    /// Treatment of mail whose author is unknown: From has no address, too many, or cannot be read.
    /// Holds in both modes, and for forwarded mail, too.
    pub unreadable_author: UnreadableAuthor,
    /// Treatment of mail for a two-way domain that did not come through its relay.
    pub unauthenticated: Unauthenticated,
    /// Domains whose ARC seals are trusted.
    pub trusted_sealers: Vec<String>,
    /// Mail that is accepted without further proof. Domains and addresses can be forged: prefer
    /// networks.
    pub allow: Senders,
    /// Mail that is refused, even if it is allowed.
    pub deny: Senders,
    /// Fields that may name the requester of a message which was forwarded more than once, in the
    /// order in which they are read.
    #[schemars(length(min = 1))]
    pub requester_from: Vec<String>,
    /// Field that names the requester to systems downstream.
    #[schemars(length(min = 1, max = 76))]
    pub requester_header: String,
}

/// Proof required of mail that comes directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Proof that the DMARC policy of the author's domain asks for.
    Standard,
    /// Proof that the author's domain has sent the mail, even if its policy does not ask for it.
    Enhanced,
}

/// Treatment of mail without the required proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Quarantine it for a person's decision.
    Quarantine,
    /// Refuse it with 550 5.7.1.
    Refuse,
}

/// Treatment of mail whose author is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnreadableAuthor {
    /// Refuse it with 550 5.6.0.
    Refuse,
    /// Quarantine it for a person's decision.
    Quarantine,
}

/// Treatment of mail for a two-way domain that did not come through its relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unauthenticated {
    /// Accept it with the tag `relay-missing`, and log a warning.
    Tag,
    /// Tag it as well, and judge it as mail that comes directly.
    Judge,
    /// Refuse it with 550 5.7.1.
    Refuse,
}

/// Senders of mail: clients, reverse-paths and authors.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Senders {
    /// Networks of clients, such as `192.0.2.0/24`, or single addresses.
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
    /// Returns true if a client's address, in text form, is in the network.
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
            unauthenticated: Unauthenticated::Judge,
            trusted_sealers: Vec::new(),
            allow: Senders::default(),
            deny: Senders::default(),
            requester_from: vec!["reply-to".into(), "to".into()],
            requester_header: "X-Gatepost-Requester".into(),
        }
    }
}

impl Settings {
    /// Returns the problems that the schema cannot express.
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

    /// Returns the settings with the overrides of the transaction's account; `None` if it has none.
    ///
    /// # Errors
    /// A sentence about the first override that is invalid.
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
    /// Returns the client, or the first of the sender's and authors' addresses, that matches.
    pub fn find_match<'a>(&self, client: &'a str, addresses: &[&'a str]) -> Option<&'a str> {
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

/// Returns true if a domain is another, or below it.
pub fn is_in(domain: &str, of: &str) -> bool {
    let (domain, of) = (domain.to_lowercase(), of.to_lowercase());
    let above = domain.strip_suffix(&of);
    !of.is_empty() && above.is_some_and(|below| below.is_empty() || below.ends_with('.'))
}
