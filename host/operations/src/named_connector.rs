//! Connector that a request names: by its id, or by its domain where one connector has it.

use std::fmt;
use std::str::FromStr;

use gatepost_directory::{Connector, ConnectorId, View};
use gatepost_message::Domain;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::directory::unknown;
use crate::error::OperationError;

/// Most connectors that an error lists.
const MOST_LISTED: usize = 10;

/// Name of a connector: its id, or its domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub enum NamedConnector {
    /// Id.
    Id(ConnectorId),
    /// Domain.
    Domain(Domain),
}

/// Text that names no connector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a connector is named by its domain, such as customer.example, or by its id of 32 hexadecimal \
     digits, which `gatepost connector list` shows"
)]
pub struct NamedConnectorError;

impl NamedConnector {
    /// Finds the id of the connector. An id is returned as it is, whether or not there is one.
    ///
    /// # Errors
    /// No connector has the domain, or several have it.
    pub(crate) fn find(&self, view: &View) -> Result<ConnectorId, OperationError> {
        let domain = match self {
            Self::Id(id) => return Ok(*id),
            Self::Domain(domain) => domain,
        };
        let connectors = view.accounts().flat_map(|of| view.connectors(of.id));
        let found: Vec<_> = connectors.filter(|of| of.claim.domain == *domain).collect();
        match found.as_slice() {
            [] => Err(unknown("connector", domain).into()),
            [one] => Ok(one.id),
            several => Err(OperationError::new(
                Code::DomainClaimedBySeveral,
                format!(
                    "several accounts have connected {domain}: name the connector by its id: {}",
                    listed(view, several)
                ),
            )),
        }
    }
}

/// Lists connectors with the native domains of their accounts.
fn listed(view: &View, connectors: &[&Connector]) -> String {
    let shown = connectors.iter().take(MOST_LISTED).map(|of| {
        let account = view.account(of.claim.account);
        let native = account.map_or_else(String::new, |of| of.profile.native_domain.to_string());
        format!("{} ({native})", of.id)
    });
    let mut shown: Vec<_> = shown.collect();
    if let Some(more) = connectors
        .len()
        .checked_sub(MOST_LISTED)
        .filter(|of| *of > 0)
    {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

impl FromStr for NamedConnector {
    type Err = NamedConnectorError;

    fn from_str(text: &str) -> Result<Self, NamedConnectorError> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        // A single label is no domain of a customer, but may be an id that lost a digit.
        let domain = text.strip_suffix('.').unwrap_or(text);
        match domain.parse() {
            Ok(domain) if text.contains('.') => Ok(Self::Domain(domain)),
            _ => Err(NamedConnectorError),
        }
    }
}

impl TryFrom<String> for NamedConnector {
    type Error = NamedConnectorError;

    fn try_from(text: String) -> Result<Self, NamedConnectorError> {
        text.parse()
    }
}

impl From<NamedConnector> for String {
    fn from(named: NamedConnector) -> Self {
        named.to_string()
    }
}

impl From<ConnectorId> for NamedConnector {
    fn from(id: ConnectorId) -> Self {
        Self::Id(id)
    }
}

impl fmt::Display for NamedConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Domain(domain) => domain.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_is_named_by_its_id_or_by_its_domain_in_any_spelling() {
        let id = "0123456789abcdef0123456789abcdef";
        let named: NamedConnector = id.parse().unwrap();
        assert!(matches!(named, NamedConnector::Id(_)));
        assert_eq!(named.to_string(), id);
        for spelled in ["acme.test", "Acme.Test", "acme.test."] {
            let named: NamedConnector = spelled.parse().unwrap();
            assert_eq!(named, NamedConnector::Domain("acme.test".parse().unwrap()));
        }
        for wrong in ["", ".", "acme", &id[1..], "a b.test"] {
            assert!(wrong.parse::<NamedConnector>().is_err(), "{wrong}");
        }
    }
}
