//! Erasure of an account or an address: what was removed of it, and which entries of the audit log tell of it.

use gatepost_message::SoughtAddress;
use serde::{Deserialize, Serialize};

use crate::{AuditEntry, RowKey};

/// Action of the entries of the audit log that stay when an account is erased: they say that it was,
/// by whom and when, and name it by its id alone.
pub const ERASED_BY: &str = "account-erase";

/// Numbers of what was removed of an account.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case", default)]
pub struct ErasedItems {
    /// Connectors.
    pub connectors: u64,
    /// Support addresses.
    pub addresses: u64,
    /// Credentials.
    pub credentials: u64,
    /// Connections.
    pub connections: u64,
    /// Endpoints.
    pub endpoints: u64,
    /// DKIM keys.
    pub dkim_keys: u64,
    /// Administrators.
    pub administrators: u64,
    /// Probes on their way.
    pub probes: u64,
    /// Links of handovers.
    pub handovers: u64,
    /// Tokens of the HTTP API.
    pub tokens: u64,
    /// Partner addresses.
    pub partners: u64,
    /// Sharing agreements.
    pub agreements: u64,
}

impl ErasedItems {
    /// Counts a row.
    pub(crate) fn count(&mut self, key: &RowKey) {
        let number = match key {
            RowKey::Connector(_) => &mut self.connectors,
            RowKey::Address { .. } => &mut self.addresses,
            RowKey::Credential(_) => &mut self.credentials,
            RowKey::Connection { .. } => &mut self.connections,
            RowKey::Endpoint { .. } => &mut self.endpoints,
            RowKey::DkimKey(_) => &mut self.dkim_keys,
            RowKey::Administrator { .. } => &mut self.administrators,
            RowKey::Probe(_) => &mut self.probes,
            RowKey::Handover(_) => &mut self.handovers,
            RowKey::ApiToken(_) => &mut self.tokens,
            RowKey::Agreement { .. } => &mut self.agreements,
            // Lists are counted by their entries.
            RowKey::Account(_) | RowKey::List(_) | RowKey::Restriction(_) => return,
        };
        *number += 1;
    }

    /// Adds other numbers.
    pub fn add(&mut self, other: Self) {
        let Self {
            connectors,
            addresses,
            credentials,
            connections,
            endpoints,
            dkim_keys,
            administrators,
            probes,
            handovers,
            tokens,
            partners,
            agreements,
        } = other;
        self.connectors += connectors;
        self.addresses += addresses;
        self.credentials += credentials;
        self.connections += connections;
        self.endpoints += endpoints;
        self.dkim_keys += dkim_keys;
        self.administrators += administrators;
        self.probes += probes;
        self.handovers += handovers;
        self.tokens += tokens;
        self.partners += partners;
        self.agreements += agreements;
    }
}

/// Returns true if an entry of the audit log goes when an account is erased: it is of the account, or
/// names it, and does not tell of the erasure.
pub(crate) fn goes(entry: &AuditEntry, account: &str, names: &[String]) -> bool {
    if entry.action == ERASED_BY {
        return false;
    }
    let texts = [
        Some(&entry.subject),
        entry.detail.as_ref(),
        Some(&entry.actor),
    ];
    let mut texts = texts.into_iter().flatten();
    entry.account.as_deref() == Some(account)
        || texts.any(|text| names.iter().any(|name| is_named(text, name)))
}

/// Returns an entry of the audit log without an address that is erased; `None` if it does not name it, or
/// is of another account.
pub(crate) fn without(
    entry: &AuditEntry,
    account: Option<&str>,
    address: &SoughtAddress,
) -> Option<AuditEntry> {
    if account.is_some_and(|account| entry.account.as_deref() != Some(account)) {
        return None;
    }
    let subject = address.erased_from(&entry.subject);
    let detail = entry.detail.as_deref();
    let detail = detail.and_then(|detail| address.erased_from(detail));
    if subject.is_none() && detail.is_none() {
        return None;
    }
    let mut erased = entry.clone();
    erased.subject = subject.unwrap_or(erased.subject);
    erased.detail = detail.or(erased.detail);
    Some(erased)
}

/// Returns true if a text has this name, which is in lower case, as a whole: not as a part of a longer
/// name or domain.
fn is_named(text: &str, name: &str) -> bool {
    let text = text.to_lowercase();
    let continues = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.match_indices(name).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let mut behind = text[at + found.len()..].chars();
        let ends = match behind.next() {
            // The end of a sentence.
            Some('.') => behind.next().is_none_or(char::is_whitespace),
            other => !other.is_some_and(continues),
        };
        ends && !before.is_some_and(continues)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_a_whole_alone() {
        for text in [
            "acme.test",
            "help@ACME.test, kind two-way",
            "see acme.test.",
            "acme.test: x",
        ] {
            assert!(is_named(text, "acme.test"), "{text}");
        }
        for text in [
            "big-acme.test",
            "www.acme.test",
            "acme.test.example",
            "acme.tests",
        ] {
            assert!(!is_named(text, "acme.test"), "{text}");
        }
    }
}
