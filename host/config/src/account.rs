//! Whose mail the relay carries, and who may submit it.

use std::collections::BTreeMap;
use std::fmt;

use gatepost_delivery::Language;
use gatepost_sasl::prepare;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use super::{Addresses, Domain};

/// A customer: the domains that the relay receives for, and the users who submit on its behalf.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Account {
    /// Names the account in policies, queue and trace.
    pub id: String,
    /// Each belongs to one account only.
    #[serde(default)]
    pub domains: Vec<Domain>,
    /// Those of its domains' addresses that there are; any that is written to where absent.
    pub addresses: Option<Addresses>,
    /// Domains in whose name it sends as well, and for which nothing is received. Each belongs to
    /// one account only.
    #[serde(default)]
    pub sending_domains: Vec<Domain>,
    /// What becomes of recipients whose local part names a further way.
    #[serde(default)]
    pub source_routes: SourceRoutes,
    /// Each name belongs to one account only.
    #[serde(default)]
    pub users: Vec<User>,
    /// The language in which its senders are told what became of their messages; the one of
    /// `[notifications]` where it has none.
    pub language: Option<Language>,
    /// What it has set for policies, by their names; a policy reads its own.
    #[serde(default)]
    pub settings: BTreeMap<String, Map<String, Value>>,
    /// Who forwards its mail to us.
    #[serde(default)]
    pub forwarders: Vec<Forwarders>,
}

/// What becomes of a recipient such as `user%elsewhere.example@desk.example`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceRoutes {
    /// Refused at RCPT: the next hop might send the message on.
    #[default]
    Refuse,
    /// Taken as a mailbox of its domain: the next hop is known to do no such thing.
    Accept,
}

/// Who is known to forward the mail of a domain to us.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Forwarders {
    /// The domain to whose addresses the mail was sent at first.
    pub domain: Domain,
    /// From where they connect.
    #[serde(default)]
    pub networks: Vec<IpNet>,
    /// Domains with which they sign (DKIM).
    #[serde(default)]
    pub dkim_domains: Vec<Domain>,
    /// Domains with which they seal (ARC).
    #[serde(default)]
    pub arc_sealers: Vec<Domain>,
}

/// Someone who may submit mail (RFC 4954).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct User {
    /// The authentication identity, as SASLprep makes it (RFC 4013).
    #[serde(deserialize_with = "prepared")]
    pub name: String,
    /// What proves it.
    pub password: Password,
}

fn prepared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    Ok(prepare(&name).into_owned())
}

/// A password: never shown, and wiped from memory with its configuration. It is compared by its
/// verifier.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}
