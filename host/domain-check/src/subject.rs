//! What a check compares the DNS with.

use std::net::IpAddr;

use gatepost_authentication::Boundary;
use gatepost_dkim::{Algorithm, KeyRecord};
use gatepost_message::{Address, Domain};

/// Domain to check, with what its mail needs.
#[derive(Debug, Clone)]
pub struct CheckedDomain {
    /// The domain.
    pub domain: Domain,
    /// Relation of the relay to it.
    pub relation: Relation,
    /// DKIM keys that sign its mail here, or will when their records are seen: its own, or those of
    /// the domain above it in the same organisation.
    pub keys: Vec<SigningKey>,
    /// Command that makes keys for it.
    pub makes_keys: String,
    /// Smart hosts of the customer through which its mail leaves: names or addresses.
    pub smart_hosts: Vec<String>,
    /// True if some of its mail leaves from our servers, by MX.
    pub by_mx: bool,
    /// Domain of the reverse-path of its mail by MX; `None` if it keeps its sender's.
    pub return_path: Option<ReturnPath>,
    /// Address that mail leaves from where the domain cannot be used.
    pub default: Option<DefaultAddress>,
}

/// Relation of the relay to a domain.
#[derive(Debug, Clone)]
pub enum Relation {
    /// A customer has connected it, and has servers of its own for its mail.
    Connected {
        /// Tokens that prove that it is the account's; the first is the one to publish.
        tokens: Vec<String>,
        /// True if it is the account's already, by a proof or by the operator's word.
        is_verified: bool,
        /// Way on which its mail reaches us.
        way_in: WayIn,
        /// Native domain of the account.
        native: Domain,
    },
    /// It is a native domain, or another of the site's: its mail comes to this relay.
    Own,
}

/// Way on which mail of a connected domain reaches us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayIn {
    /// The customer's server relays it over an authenticated session.
    Relayed,
    /// The customer's server forwards it.
    Forwarded,
}

/// DKIM key as verifiers look for it.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// Domain that it signs for.
    pub domain: Domain,
    /// Record.
    pub record: KeyRecord,
    /// Algorithm.
    pub algorithm: Algorithm,
    /// Public half: the octets of `p=`.
    pub public: Vec<u8>,
    /// Name in the site's own zone that the record's name may be an alias of.
    pub alias: Option<String>,
}

/// Domain of reverse-paths.
#[derive(Debug, Clone)]
pub struct ReturnPath {
    /// The domain.
    pub domain: Domain,
    /// Domain of the site that it may be an alias of; `None` if it is the site's own.
    pub alias: Option<Domain>,
}

/// Address of the account that mail leaves from where a domain cannot be used.
#[derive(Debug, Clone)]
pub struct DefaultAddress {
    /// Native domain of the account, by which commands name it.
    pub account: Domain,
    /// The address; `None` if the account has named none.
    pub address: Option<Address>,
    /// Domain of the address.
    pub domain: Domain,
    /// Keys that sign for it.
    pub keys: Vec<SigningKey>,
    /// Domain of the reverse-path.
    pub return_path: Option<Domain>,
}

/// The relay as the world sees it.
#[derive(Debug, Clone)]
pub struct Site {
    /// Name in EHLO, in A-labels.
    pub hostname: String,
    /// Names under which other servers reach the relay, that one included.
    pub names: Vec<String>,
    /// Addresses from which mail leaves.
    pub addresses: Vec<IpAddr>,
    /// Name whose SPF record has these addresses.
    pub spf_include: String,
    /// Method by which DMARC finds the organisational domain.
    pub boundary: Boundary,
}

/// Most addresses of the site that are checked.
const MOST_ADDRESSES: usize = 8;

impl Site {
    /// Returns the addresses that are checked.
    pub(crate) fn checked_addresses(&self) -> &[IpAddr] {
        let most = self.addresses.len().min(MOST_ADDRESSES);
        self.addresses.get(..most).unwrap_or_default()
    }

    /// Returns true if a host is this relay, by its name.
    pub(crate) fn has_name(&self, host: &str) -> bool {
        self.names.iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    /// Returns the text of the record that names the addresses.
    pub(crate) fn spf_text(&self) -> String {
        let mut text = "v=spf1".to_owned();
        for address in &self.addresses {
            text += &match address {
                IpAddr::V4(address) => format!(" ip4:{address}"),
                IpAddr::V6(address) => format!(" ip6:{address}"),
            };
        }
        text + " -all"
    }
}
