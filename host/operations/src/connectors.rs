//! Connectors: domains that accounts have connected.

use std::sync::Arc;

use clap::Args;
use gatepost_directory::{
    Claim, Connector, ConnectorId, ConnectorKind, ConnectorState, Directory, Forwarders, Name,
    Protocol,
};
use gatepost_dns::Dns;
use gatepost_domain_check::{Standing, ownership};
use gatepost_message::Domain;
use gatepost_trace::{Counted, Trace};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::blocking::blocking;
use crate::code::Code;
use crate::directory::{account_id, account_ids, change, unknown};
use crate::error::OperationError;
use crate::holdings;
use crate::named_connector::NamedConnector;
use crate::verification::AddressVerification;

/// Request to connect a domain, as a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddConnector {
    /// Id or native domain of the account.
    #[arg(long)]
    pub account: String,
    /// Domain of the customer.
    #[arg(long)]
    pub domain: Domain,
    /// Name for people; the domain when not given.
    #[arg(long)]
    pub name: Option<Name>,
    /// Direction of the mail that passes through the relay: two-way, outbound-only, or forwarded,
    /// where the customer's server only forwards to us.
    #[arg(long)]
    pub kind: ConnectorKind,
    /// Authentication mechanism that the customer's server expects of us: PLAIN, LOGIN or
    /// SCRAM-SHA-256.
    #[arg(long, default_value = "PLAIN")]
    #[serde(default = "plain")]
    pub protocol: Protocol,
}

/// Request for connectors.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListConnectors {
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    pub account: Option<String>,
}

/// Connector with its addresses, and what it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConnectorDetails {
    /// The connector.
    #[serde(flatten)]
    pub connector: Connector,
    /// Its support addresses with their verification.
    pub addresses: Vec<AddressVerification>,
    /// Step that is missing before mail can come in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

macro_rules! of_one_connector {
    ($($(#[$doc:meta])* $request:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(
                Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema,
            )]
            #[serde(deny_unknown_fields)]
            pub struct $request {
                /// Domain of the connector, or its id.
                pub connector: NamedConnector,
            }
        )*
    };
}

of_one_connector! {
    /// Request for a connector.
    ShowConnector
    /// Request to look in the DNS for the proof that the domain is the account's.
    ProveConnector
    /// Request to remove a connector.
    RemoveConnector
}

/// Request to vouch that the domain is the account's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VouchConnector {
    /// Domain of the connector, or its id.
    pub connector: NamedConnector,
    /// Vouch for its way out, too: its addresses leave through the customer's server without a
    /// verification, until that server refuses them.
    #[arg(long)]
    #[serde(default)]
    pub outbound: bool,
    /// Take the word for its way out back: its addresses leave through the customer's server after a
    /// verification only.
    #[arg(long, conflicts_with = "outbound")]
    #[serde(default, rename = "withdraw-outbound")]
    pub withdraw_outbound: bool,
}

/// Request to set the direction of a domain's mail that passes through the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetConnectorKind {
    /// Domain of the connector, or its id.
    pub connector: NamedConnector,
    /// Direction: two-way, outbound-only or forwarded.
    pub kind: ConnectorKind,
}

/// Request to set the known forwarders of a domain's mail, in place of the former ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SetForwarders {
    /// Domain of the connector, or its id.
    pub connector: NamedConnector,
    /// Network that they send from, such as 192.0.2.0/24; may be repeated.
    #[arg(long = "network", value_name = "NETWORK")]
    #[serde(default)]
    pub networks: Vec<IpNet>,
    /// Domain of their DKIM signatures; may be repeated.
    #[arg(long = "dkim-domain", value_name = "DOMAIN")]
    #[serde(default)]
    pub dkim_domains: Vec<Domain>,
    /// Domain of their ARC seals; may be repeated.
    #[arg(long = "arc-sealer", value_name = "DOMAIN")]
    #[serde(default)]
    pub arc_sealers: Vec<Domain>,
}

/// Request to forget forwarders of a domain's mail that were learnt from probes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ForgetForwarders {
    /// Domain of the connector, or its id.
    pub connector: NamedConnector,
    /// Forget this network; may be repeated.
    #[arg(long = "network", value_name = "NETWORK")]
    #[serde(default)]
    pub networks: Vec<IpNet>,
    /// Forget this domain of DKIM signatures and reverse-paths; may be repeated.
    #[arg(long = "dkim-domain", value_name = "DOMAIN")]
    #[serde(default)]
    pub dkim_domains: Vec<Domain>,
    /// Forget this domain of ARC seals; may be repeated.
    #[arg(long = "arc-sealer", value_name = "DOMAIN")]
    #[serde(default)]
    pub arc_sealers: Vec<Domain>,
    /// Forget all that were learnt.
    #[arg(long, required_unless_present_any = ["networks", "dkim_domains", "arc_sealers"])]
    #[serde(default)]
    pub all: bool,
}

/// Request for what became of header fields in messages from a domain that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountHeaders {
    /// Domain of From.
    pub domain: Domain,
}

fn plain() -> Protocol {
    Protocol::Plain
}

/// Connects a domain, as a claim.
///
/// # Errors
/// There is no such account, it may not have the domain, or the store cannot be changed.
pub async fn add(
    directory: &Arc<Directory>,
    asked: AddConnector,
) -> Result<Connector, OperationError> {
    let claim = Claim {
        account: account_id(&directory.view(), &asked.account)?,
        name: match asked.name {
            Some(name) => name,
            None => name_of(&asked.domain)?,
        },
        domain: asked.domain,
        kind: asked.kind,
        protocol: asked.protocol,
    };
    change(directory, |directory| directory.add_connector(claim)).await
}

/// Returns a name for people that begins like the domain, within the length of a name.
fn name_of(domain: &Domain) -> Result<Name, OperationError> {
    let short: String = domain.as_str().chars().take(100).collect();
    let name = short.parse::<Name>();
    name.map_err(|error| OperationError::new(Code::NotUnderstood, error))
}

/// Lists connectors, of one account or of all.
///
/// # Errors
/// There is no such account.
pub fn list(
    directory: &Directory,
    asked: ListConnectors,
) -> Result<Vec<Connector>, OperationError> {
    let view = directory.view();
    let accounts = account_ids(&view, asked.account.as_deref())?.into_iter();
    let connectors = accounts.flat_map(|account| view.connectors(account));
    Ok(connectors.cloned().collect())
}

/// Shows a connector.
///
/// # Errors
/// There is no such connector.
pub fn show(
    directory: &Directory,
    asked: ShowConnector,
) -> Result<ConnectorDetails, OperationError> {
    let view = directory.view();
    let id = asked.connector.find(&view)?;
    let found = view.find_connector(id);
    let found = found.ok_or_else(|| unknown("connector", id))?;
    let mut addresses: Vec<_> = view
        .all_addresses()
        .filter(|address| address.connector == Some(found.id))
        .map(|address| AddressVerification::of(&view, address))
        .collect();
    addresses.sort_by(|one, other| one.address.as_str().cmp(other.address.as_str()));
    let missing = addresses.is_empty();
    let missing = missing.then(|| "add at least one support address to finish".to_owned());
    Ok(ConnectorDetails {
        connector: found.clone(),
        addresses,
        missing,
    })
}

/// Looks in the DNS for the proof that the domain is the account's. Where it is found, the
/// addresses of the domain receive from now on.
///
/// # Errors
/// There is no such connector, the proof is not there, the DNS does not answer, the domain is
/// taken, or the store cannot be changed.
pub async fn prove(
    directory: &Arc<Directory>,
    dns: &impl Dns,
    asked: ProveConnector,
) -> Result<Connector, OperationError> {
    let id = asked.connector.find(&directory.view())?;
    let (domain, tokens) = {
        let view = directory.view();
        let found = view.find_connector(id);
        let claim = &found.ok_or_else(|| unknown("connector", id))?.claim;
        let tokens = view.ownership_tokens(claim.account, &claim.domain);
        (claim.domain.clone(), tokens)
    };
    is_connected(directory, id)?;
    let proof = ownership(dns, &domain, &tokens).await;
    let refused = |code, text: String| Err(OperationError::new(code, text));
    match proof.standing {
        Standing::Right => mark_as_own(directory, id).await,
        Standing::Unanswered => {
            let text = format!(
                "the DNS does not say whether {domain} is the account's: {}",
                proof.words
            );
            refused(Code::NoDnsAnswer, text)
        }
        Standing::Missing | Standing::Differs => {
            let text = format!(
                "{} at {}; publish this record and try again: {}",
                proof.words,
                proof.name,
                proof.paste.join(" ")
            );
            refused(Code::NotProved, text)
        }
    }
}

/// Marks the domain as the account's on the word of the operator: from now on its addresses
/// receive. If asked, they leave through the customer's server, too, or that word is taken back.
///
/// # Errors
/// There is no such connector, the domain is taken, its mail leaves through no server of the
/// customer, or the store cannot be changed.
pub async fn vouch(
    directory: &Arc<Directory>,
    asked: VouchConnector,
) -> Result<Connector, OperationError> {
    let VouchConnector {
        connector,
        outbound,
        withdraw_outbound,
    } = asked;
    let connector = connector.find(&directory.view())?;
    if !withdraw_outbound {
        is_connected(directory, connector)?;
    }
    match (outbound, withdraw_outbound) {
        (false, false) => mark_as_own(directory, connector).await,
        (true, false) => {
            let vouched = move |directory: &Directory| directory.vouch_outbound(connector);
            change(directory, vouched).await
        }
        (false, true) => {
            let withdrawn = move |directory: &Directory| directory.withdraw_outbound(connector);
            change(directory, withdrawn).await
        }
        (true, true) => {
            let text = "the word for a way out is given or taken back, not both";
            Err(OperationError::new(Code::NotUnderstood, text))
        }
    }
}

/// Refuses a domain that is disconnected: held mail and its notices are the matter of
/// `connector reconnect`.
fn is_connected(directory: &Directory, id: ConnectorId) -> Result<(), OperationError> {
    let view = directory.view();
    match view.find_connector(id) {
        Some(of) if of.state == ConnectorState::Disconnected => {
            let text = format!("the domain {} is disconnected", of.claim.domain);
            Err(OperationError::new(Code::DomainDisconnected, text))
        }
        _ => Ok(()),
    }
}

async fn mark_as_own(
    directory: &Arc<Directory>,
    connector: ConnectorId,
) -> Result<Connector, OperationError> {
    let marked = move |directory: &Directory| directory.verify_connector(connector);
    change(directory, marked).await
}

/// Sets the direction of the domain's mail that passes through the relay. Mail that comes by the
/// former way is taken.
///
/// # Errors
/// There is no such connector, or the store cannot be changed.
pub async fn set_kind(
    directory: &Arc<Directory>,
    asked: SetConnectorKind,
) -> Result<Connector, OperationError> {
    let id = asked.connector.find(&directory.view())?;
    change(directory, move |directory| {
        directory.set_connector_kind(id, asked.kind)
    })
    .await
}

/// Sets the known forwarders of the domain's mail, in place of the former ones.
///
/// # Errors
/// There is no such connector, or the store cannot be changed.
pub async fn set_forwarders(
    directory: &Arc<Directory>,
    asked: SetForwarders,
) -> Result<Connector, OperationError> {
    let id = asked.connector.find(&directory.view())?;
    let forwarders = Forwarders {
        networks: asked.networks,
        dkim_domains: asked.dkim_domains,
        arc_sealers: asked.arc_sealers,
    };
    change(directory, move |directory| {
        directory.set_forwarders(id, forwarders)
    })
    .await
}

/// Forgets forwarders of the domain's mail that were learnt. A probe that comes back by one learns it
/// again.
///
/// # Errors
/// There is no such connector, or the store cannot be changed.
pub async fn forget_forwarders(
    directory: &Arc<Directory>,
    asked: ForgetForwarders,
) -> Result<Connector, OperationError> {
    let id = asked.connector.find(&directory.view())?;
    let forgotten = Forwarders {
        networks: asked.networks,
        dkim_domains: asked.dkim_domains,
        arc_sealers: asked.arc_sealers,
    };
    change(directory, move |directory| {
        directory.forget_forwarders(id, (!asked.all).then_some(&forgotten))
    })
    .await
}

/// Removes a connector that owns nothing any more.
///
/// # Errors
/// There is no such connector, it still owns something, or the store cannot be changed. If it owns
/// something, the error names the commands that remove it.
pub async fn remove(
    directory: &Arc<Directory>,
    asked: RemoveConnector,
) -> Result<(), OperationError> {
    let id = asked.connector.find(&directory.view())?;
    let removed = change(directory, move |directory| directory.remove_connector(id)).await;
    match removed {
        Err(mut error) if error.code == Code::NotEmpty => {
            let commands = holdings::commands_to_remove(directory, id).await?;
            if !commands.is_empty() {
                error.message += &format!(": {}", commands.join(", "));
            }
            Err(error)
        }
        other => other,
    }
}

/// Counts what became of header fields in messages from a domain, by account and field.
///
/// # Errors
/// The trace cannot be read.
pub async fn headers(
    trace: &Arc<Trace>,
    directory: &Directory,
    asked: CountHeaders,
) -> Result<Vec<Counted>, OperationError> {
    let trace = Arc::clone(trace);
    let domain = asked.domain.as_ascii().to_owned();
    // Whoever had the domain before is not its present owner's business.
    let owner = directory
        .view()
        .domain(&domain)
        .map(|of| of.account.to_string());
    let mut counted = blocking(move || trace.headers_of(&domain)).await?;
    counted.retain(|of| owner.as_ref().is_none_or(|owner| *owner == of.account));
    Ok(counted)
}
