//! Facts about a connector, of which its instructions are made.

use std::net::IpAddr;

use gatepost_message::{Address, Domain};

/// Header fields of the standards that must arrive as they were sent.
pub const STANDARD_HEADERS: [&str; 8] = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
];

/// Facts about a connector.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Name of the site's product, as the customer knows it.
    pub product: String,
    /// Domain of the customer.
    pub domain: Domain,
    /// Way in which mail passes between the customer and the relay.
    pub arrangement: Arrangement,
    /// Support addresses of the domain.
    pub addresses: Vec<AddressFacts>,
    /// Native domain of the account.
    pub native: Domain,
    /// Host name of the relay.
    pub relay: Domain,
    /// Addresses of the relay that connect to the customer's servers.
    pub egress: Vec<IpAddr>,
    /// Name that the customer's SPF record has to include.
    pub spf_include: Option<String>,
    /// Record by which the customer proves that the domain is theirs.
    pub ownership: Option<Record>,
    /// Records of the relay's DKIM keys for the domain.
    pub dkim: Vec<Record>,
    /// Record of the domain of return paths, where it is the customer's own.
    pub return_path: Option<Record>,
    /// Header fields of the relay that must arrive as they were sent.
    pub headers: Vec<String>,
    /// Person or address of the operator that the customer's administrator may ask.
    pub contact: Option<String>,
}

/// Way in which mail passes between the customer and the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrangement {
    /// The customer's server relays mail to us over a session in which it logs in, and is the smart
    /// host of mail that leaves.
    TwoWay(LogIn),
    /// Mail is forwarded to us, and leaves by the customer's smart host.
    OutboundOnly,
    /// Mail is forwarded to us, and leaves from our own servers.
    Forwarded,
}

/// Log-in of the customer's server at the relay, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogIn {
    /// Port of the relay.
    pub port: u16,
    /// True if TLS begins with the first octet; otherwise it begins by STARTTLS.
    pub implicit_tls: bool,
    /// User name of the credential; `None` if none is live.
    pub user_name: Option<String>,
}

/// Support address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressFacts {
    /// Address that customers write to.
    pub address: Address,
    /// Address that its mail is forwarded to, where it has one.
    pub target: Option<Address>,
}

/// Record for the DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Full name, without the dot at its end.
    pub name: String,
    /// Type, such as `CNAME`.
    pub kind: &'static str,
    /// Value, as a DNS console takes it.
    pub value: String,
}
