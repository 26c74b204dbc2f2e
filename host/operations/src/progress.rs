//! Progress of a connector: what it still lacks.
//!
//! Nothing is stored for it: it follows from what is in the directory, so that a set-up can stop
//! and go on anywhere.

use clap::Args;
use gatepost_connections::{ConnectionState, Connections as _, Serves};
use gatepost_directory::{
    Connector, ConnectorKind, ConnectorState, Credential, Directory, DkimState, KeyOwner, Probe,
    SupportAddress, Verification,
};
use gatepost_message::{Address, Millis};
use gatepost_probes::{ProbedDirection, directions as proves, kinds_for};
use serde::{Deserialize, Serialize};

use crate::clock::clock;
use crate::connections::{self, ConnectionSummary, ListConnections};
use crate::connectors;
use crate::directory::change;
use crate::error::OperationError;
use crate::named_connector::NamedConnector;
use crate::runtime::Runtime;
use crate::verification::DirectionVerification;

/// Request for the progress of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowProgress {
    /// Domain of the connector, or its id.
    pub connector: NamedConnector,
}

/// Progress of a connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MissingStep {
    /// Step.
    pub step: Step,
    /// Sentence that says what to do.
    pub what_to_do: String,
    /// Support address that is to be verified, where that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Verification of its direction, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<DirectionVerification>,
}

/// Step of setting a connector up.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
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
    /// Mail for a support address is shown to come in.
    InboundVerification,
    /// Mail of a support address is shown to leave through the customer's server.
    OutboundVerification,
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
            Self::InboundVerification => "inbound-verification",
            Self::OutboundVerification => "outbound-verification",
        }
    }

    /// Returns true if it verifies addresses.
    pub fn is_verification(self) -> bool {
        self.direction().is_some()
    }

    /// Returns the direction that is verified by this step, if it is one of verification.
    fn direction(self) -> Option<ProbedDirection> {
        match self {
            Self::InboundVerification => Some(ProbedDirection::Inbound),
            Self::OutboundVerification => Some(ProbedDirection::Outbound),
            _ => None,
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
    let account = connector.claim.account.to_string();
    let is_served = |of: &SupportAddress| on.connections.serving(&account, &of.address).is_some();
    let served = addresses.iter().map(is_served).collect();
    let known = Known {
        connector: &connector,
        addresses: &addresses,
        served,
        credentials: &credentials,
        connections: &connections,
        keys: &keys,
        probes: view
            .probes()
            .filter(|of| of.account == connector.claim.account)
            .collect(),
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
    /// Of each address in order: true if a connection serves it.
    served: Vec<bool>,
    /// Live credentials of its domain.
    credentials: &'a [Credential],
    /// Connections of its account.
    connections: &'a [ConnectionSummary],
    /// States of the DKIM keys of its domain.
    keys: &'a [DkimState],
    /// Probes of its account that are on their way.
    probes: Vec<&'a Probe>,
}

impl Known<'_> {
    fn missing(&self) -> Vec<MissingStep> {
        let claim = &self.connector.claim;
        let (id, domain, account) = (self.connector.id, &claim.domain, claim.account);
        let mut missing = Vec::new();
        let mut lacks = |step, what_to_do| {
            missing.push(MissingStep {
                step,
                what_to_do,
                address: None,
                verification: None,
            });
        };
        if self.connector.state == ConnectorState::Disconnected {
            let text = format!(
                "{domain} is disconnected: `gatepost connector reconnect {id}` connects it again"
            );
            lacks(Step::Ownership, text);
        } else if self.connector.state != ConnectorState::Verified {
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
                    Some(of) => {
                        if let Some(text) = mending(of) {
                            lacks(Step::WorkingConnection, text);
                        }
                    }
                }
            }
        }
        self.verify(&mut missing);
        missing
    }

    /// Adds the directions of addresses that are to be verified. One is verified when the steps
    /// before it are done: no probe comes back over the session of a server that has not logged in.
    fn verify(&self, missing: &mut Vec<MissingStep>) {
        let lacks = |steps: &[Step]| missing.iter().any(|of| steps.contains(&of.step));
        let waits = [
            lacks(&[Step::Ownership, Step::Credential, Step::LogIn]),
            lacks(&[Step::Ownership, Step::Connection, Step::WorkingConnection])
                || self.connector.details.outbound_vouched.is_some(),
        ];
        let steps = [Step::InboundVerification, Step::OutboundVerification];
        for (step, waits) in steps.into_iter().zip(waits) {
            let Some(direction) = step.direction().filter(|_| !waits) else {
                continue;
            };
            let addresses = self.addresses.iter().zip(&self.served);
            missing.extend(addresses.filter_map(|(address, is_served)| {
                let kinds = kinds_for(self.connector.claim.kind, *is_served);
                let state = direction.state(&address.details);
                let is_missing = kinds.contains(&direction.kind()) && !state.is_verified();
                is_missing.then(|| {
                    let mut probes = self.probes.iter().filter(|of| {
                        of.address == address.address && proves(of.kind).contains(&direction)
                    });
                    let until = probes.next().map(|of| of.expires);
                    unverified(step, direction, address, until)
                })
            }));
        }
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

/// Returns what to do about a connection that is broken, or whose last test was refused.
fn mending(of: &ConnectionSummary) -> Option<String> {
    let (words, advice) = match (&of.status, &of.refused_test) {
        (ConnectionState::Broken(trouble), _) => (&trouble.words, &trouble.advice),
        (_, Some(refused)) => (&refused.words, &refused.advice),
        (_, None) => return None,
    };
    let (name, account) = (&of.name, of.account.as_deref().unwrap_or_default());
    Some(format!(
        "mend the connection {name}, by which no session comes about: {words}; {advice}. `gatepost \
         connection set {name} --account {account}` changes it (--ca FILE names an authority of \
         one's own), and `gatepost connection test {name} --account {account}` tries it again"
    ))
}

/// Makes the step of a direction that is not verified, with its state, reason and advice. `until` is
/// the time at which its probe counts as lost, if one is on its way.
fn unverified(
    step: Step,
    direction: ProbedDirection,
    of: &SupportAddress,
    until: Option<Millis>,
) -> MissingStep {
    let (address, account) = (&of.address, of.account);
    let verification = DirectionVerification {
        state: direction.state(&of.details).clone(),
        check: direction.check(&of.details).cloned(),
    };
    let goes = match direction {
        ProbedDirection::Inbound => format!("mail for {address} comes in"),
        ProbedDirection::Outbound => {
            format!("mail of {address} leaves through the customer's server")
        }
    };
    let now = Millis::now();
    let verify = format!(
        "`gatepost connector verify {address} --account {account} --{} --wait`",
        direction.word()
    );
    let what_to_do = match &verification.state {
        Verification::Pending { since } => {
            let late = match until {
                Some(until) => format!("if it is not back by {}", clock(until, now)),
                None => "if it does not come back".to_owned(),
            };
            format!(
                "wait for the {} probe of {}, which shows if {goes}; {late}, {verify} sends \
                 another",
                direction.word(),
                clock(*since, now)
            )
        }
        Verification::Failed { reason, words, .. } => {
            let advice = verification
                .check
                .as_ref()
                .map(|check| check.advice.as_str());
            let advice = advice.filter(|advice| !advice.is_empty());
            let advice = advice.unwrap_or("Have the customer's server mended.");
            let again = match advice.contains("erify again") {
                true => format!("The command for it: {verify}"),
                false => format!("Then verify again: {verify}"),
            };
            format!("the probe did not show that {goes} ({reason}): {words}. {advice} {again}")
        }
        Verification::Unverified | Verification::Verified { .. } => {
            format!("show that {goes}: {verify}")
        }
    };
    MissingStep {
        step,
        what_to_do,
        address: Some(address.clone()),
        verification: Some(verification),
    }
}
