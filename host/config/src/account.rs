//! Accounts of the configuration, and their users.

use std::collections::BTreeMap;
use std::fmt;

use gatepost_delivery::Language;
use gatepost_sasl::prepare;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use super::{Addresses, Domain};

/// Customer: the domains that the relay receives for, and the users who submit on its behalf.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Account {
    /// Id of the account in policies, queue and trace.
    pub id: String,
    /// Domains at which it receives. Each belongs to one account only.
    #[serde(default)]
    pub domains: Vec<Domain>,
    /// Addresses that exist in its domains; if absent, all addresses exist.
    pub addresses: Option<Addresses>,
    /// Further domains in whose name it sends, and for which nothing is received. Each belongs to
    /// one account only.
    #[serde(default)]
    pub sending_domains: Vec<Domain>,
    /// Treatment of recipients whose local part names a further route.
    #[serde(default)]
    pub source_routes: SourceRoutes,
    /// Users who submit for it. Each name belongs to one account only.
    #[serde(default)]
    pub users: Vec<User>,
    /// Language of notices to its senders; if absent, that of `[notifications]`.
    pub language: Option<Language>,
    /// Settings for policies, by name of the policy; a policy reads its own.
    #[serde(default)]
    pub settings: BTreeMap<String, Map<String, Value>>,
    /// Known forwarders of its mail.
    #[serde(default)]
    pub forwarders: Vec<Forwarders>,
}

/// Treatment of a recipient such as `user%elsewhere.example@desk.example`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceRoutes {
    /// Refused at RCPT, because the next hop might relay the message.
    #[default]
    Refuse,
    /// Accepted as a mailbox of its domain, because the next hop is known not to relay.
    Accept,
}

/// Known forwarders of the mail of a domain.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Forwarders {
    /// Domain whose addresses the mail was first sent to.
    pub domain: Domain,
    /// Networks of their servers.
    #[serde(default)]
    pub networks: Vec<IpNet>,
    /// Domains of their DKIM signatures.
    #[serde(default)]
    pub dkim_domains: Vec<Domain>,
    /// Domains of their ARC seals.
    #[serde(default)]
    pub arc_sealers: Vec<Domain>,
}

/// User who may submit mail (RFC 4954).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct User {
    /// Authentication identity, prepared by SASLprep (RFC 4013).
    #[serde(deserialize_with = "prepared")]
    pub name: String,
    /// Password of the user.
    pub password: Password,
}

fn prepared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    Ok(prepare(&name).into_owned())
}

/// Password. It is never shown, is wiped from memory when dropped, and is compared by its verifier.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Returns the password as text.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns true if the password is empty.
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
