//! Progress of a connector: what it still lacks.
//!
//! Nothing is stored for it: it follows from what is in the directory, so that a set-up can stop
//! and go on anywhere.

use clap::Args;
use gatepost_connections::{ConnectionState, Serves};
use gatepost_directory::{
    Connector, ConnectorId, ConnectorKind, ConnectorState, Credential, Directory, DkimState,
    KeyOwner, SupportAddress,
};
use serde::{Deserialize, Serialize};

use crate::connections::{self, ConnectionSummary, ListConnections};
use crate::connectors;
use crate::directory::change;
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Request for the progress of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct ShowProgress {
    /// Id of the connector.
    pub connector: ConnectorId,
}

/// Progress of a connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Progress {
    /// Connector.
    pub connector: Connector,
    /// Support addresses of its domain.
    pub addresses: Vec<SupportAddress>,
    /// Steps that are missing, in the order in which to do them.
    pub missing: Vec<MissingStep>,
}

/// Step that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MissingStep {
    /// Step.
    pub step: Step,
    /// Sentence that says what to do.
    pub what_to_do: String,
}

/// Step of setting a connector up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The domain is shown to be the account's.
    Ownership,
    /// The domain has a support address.
    Address,
    /// The customer's server has a credential.
    Credential,
    /// The customer's server has logged in.
    LogIn,
    /// The relay has a connection to the customer's server.
    Connection,
    /// The connection works.
    WorkingConnection,
    /// Mail from the relay is signed for the domain.
    Signature,
}

impl Step {
    /// Returns the word for the step, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ownership => "ownership",
            Self::Address => "address",
            Self::Credential => "credential",
            Self::LogIn => "log-in",
            Self::Connection => "connection",
            Self::WorkingConnection => "working-connection",
            Self::Signature => "signature",
        }
    }
}

/// Shows what a connector still lacks.
///
/// # Errors
/// There is no such connector, or the store cannot be read.
pub async fn show(on: &Runtime, asked: ShowProgress) -> Result<Progress, OperationError> {
    let asked = connectors::ShowConnector {
        connector: asked.connector,
    };
    let connector = connectors::show(&on.directory, asked)?.connector;
    let mut addresses = change(&on.directory, Directory::addresses).await?;
    addresses.retain(|of| of.connector == Some(connector.id));
    let mut credentials = change(&on.directory, Directory::credentials).await?;
    credentials.retain(|of| of.ended.is_none() && of.scope.connector() == Some(connector.id));
    let account = Some(connector.claim.account.to_string());
    let connections = connections::list(on, ListConnections { account })?;
    let view = on.directory.view();
    let owner = KeyOwner::Account(connector.claim.account);
    let keys = view
        .dkim_keys(owner)
        .filter(|of| of.domain == connector.claim.domain);
    let keys: Vec<_> = keys.map(|of| of.state).collect();
    let known = Known {
        connector: &connector,
        addresses: &addresses,
        credentials: &credentials,
        connections: &connections,
        keys: &keys,
    };
    Ok(Progress {
        missing: known.missing(),
        connector,
        addresses,
    })
}

/// State of a connector in the directory.
struct Known<'a> {
    connector: &'a Connector,
    addresses: &'a [SupportAddress],
    /// Live credentials of its domain.
    credentials: &'a [Credential],
    /// Connections of its account.
    connections: &'a [ConnectionSummary],
    /// States of the DKIM keys of its domain.
    keys: &'a [DkimState],
}

impl Known<'_> {
    fn missing(&self) -> Vec<MissingStep> {
        let claim = &self.connector.claim;
        let (id, domain, account) = (self.connector.id, &claim.domain, claim.account);
        let mut missing = Vec::new();
        let mut lacks = |step, what_to_do| missing.push(MissingStep { step, what_to_do });
        if self.connector.state != ConnectorState::Verified {
            let text = format!(
                "show that {domain} is the account's: `gatepost connector prove {id}` looks for its \
                 record in the DNS, and `gatepost connector vouch {id}` takes your word"
            );
            lacks(Step::Ownership, text);
        }
        if self.addresses.is_empty() {
            let text = format!(
                "add at least one support address to finish: `gatepost address add --account \
                 {account} help@{domain}`"
            );
            lacks(Step::Address, text);
        }
        if claim.kind == ConnectorKind::TwoWay {
            if self.credentials.is_empty() {
                let text = format!(
                    "issue a credential for the customer's server: `gatepost credential add \
                     --inbound {id}`"
                );
                lacks(Step::Credential, text);
            } else if self.credentials.iter().all(|of| of.last_used.is_none()) {
                let text = format!(
                    "have the customer's server set up: it has not logged in yet; `gatepost \
                     connector instructions {id}` says how"
                );
                lacks(Step::LogIn, text);
            }
        }
        match claim.kind {
            ConnectorKind::Forwarded => {
                if !self.keys.contains(&DkimState::Active) {
                    lacks(Step::Signature, self.signature());
                }
            }
            ConnectorKind::TwoWay | ConnectorKind::OutboundOnly => {
                match self.connections.iter().find(|of| self.serves(of)) {
                    None => {
                        let text = format!(
                            "add a connection to the customer's server: `gatepost connection add \
                             NAME --account {account} --host HOST --user USER --password-file FILE \
                             --serves @{domain}`"
                        );
                        lacks(Step::Connection, text);
                    }
                    Some(of) if matches!(of.status, ConnectionState::Broken(_)) => {
                        let text = format!(
                            "mend the connection: `gatepost connection test {} --account {account}` \
                             says what is wrong",
                            of.name
                        );
                        lacks(Step::WorkingConnection, text);
                    }
                    Some(_) => {}
                }
            }
        }
        missing
    }

    /// Returns true if mail of the domain leaves by a connection: that of the whole domain, or of
    /// an address or a brand of it.
    fn serves(&self, connection: &ConnectionSummary) -> bool {
        let domain = &self.connector.claim.domain;
        connection.serves.iter().any(|of| match of {
            Serves::Domain(of) => of == domain,
            Serves::Address(of) => domain.matches(of.domain()),
            Serves::Brand(name) => {
                let mut brands = self.addresses.iter().filter_map(|of| of.brand.as_ref());
                brands.any(|brand| brand.as_str() == name)
            }
        })
    }

    fn signature(&self) -> String {
        let claim = &self.connector.claim;
        let (domain, account) = (&claim.domain, claim.account);
        match self.keys.is_empty() {
            true => format!(
                "make DKIM keys, so that mail leaves in the name of {domain}: `gatepost dkim generate \
                 --account {account} {domain}`"
            ),
            false => format!(
                "have the records of the DKIM keys published: `gatepost dkim show --account {account} \
                 {domain}` shows them, and `gatepost dkim check` looks for them"
            ),
        }
    }
}
