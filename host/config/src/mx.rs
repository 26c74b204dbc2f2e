//! Mail by MX: the relay's own names, and MTA-STS.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer, de::Error as _};

/// Settings of mail by MX.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Mx {
    /// Names besides the host name under which other servers reach this relay.
    pub own_names: Vec<String>,
    /// Public addresses of this relay that its machine does not have itself.
    pub own_addresses: Vec<IpAddr>,
    /// Name whose SPF record has the addresses that mail leaves from, for customers to include.
    #[serde(deserialize_with = "spf_include")]
    pub spf_include: Option<String>,
    /// Port on which the servers of domains take mail.
    pub port: u16,
    /// Heeds the MTA-STS policies of domains (RFC 8461).
    pub mta_sts: bool,
    /// Port on which MTA-STS policies are served.
    pub mta_sts_port: u16,
    /// Treatment of mail that its author's domain has receivers refuse (DMARC).
    pub unaligned: Unaligned,
}

/// Treatment of mail by MX that would fail DMARC wherever it arrives, since neither SPF nor DKIM
/// proves its author's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unaligned {
    /// It is refused, with the reason.
    #[default]
    Refuse,
    /// It leaves as the address that its sender's connection falls back to; without one, it is
    /// refused.
    SendAs,
    /// It leaves as it is.
    Send,
}

impl Default for Mx {
    fn default() -> Self {
        Self {
            own_names: Vec::new(),
            own_addresses: Vec::new(),
            spf_include: None,
            port: 25,
            mta_sts: true,
            mta_sts_port: 443,
            unaligned: Unaligned::default(),
        }
    }
}

/// Reads a name of the DNS, which may have labels that begin with an underscore.
fn spf_include<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(deserializer)?.to_ascii_lowercase();
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=63).contains(&label.len()) && label.bytes().all(inner)
    };
    match name.len() <= 253 && name.contains('.') && name.split('.').all(is_label) {
        true => Ok(Some(name)),
        false => Err(D::Error::custom(format!(
            "`{name}` is not a name of the DNS; write one such as \"_spf.mx.desk.example\""
        ))),
    }
}
