//! Verification of support addresses: probes are sent, waited for, and sent again on a schedule.

use std::time::Duration;

use clap::Args;
use gatepost_connections::{ConnectionTrouble, Connections as _};
use gatepost_directory::{
    AccountId, Directory, LastCheck, ProbeId, ProbeKind, SupportAddress, Verification, View,
};
use gatepost_message::{Address, Millis};
use gatepost_probes::{Due, ProbeError, ProbeOrder, directions};
use gatepost_verification::{VerificationFailure, failure_of_reply, failure_of_trouble};
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::connections::{SessionMeaning, open_session};
use crate::directory::{account_id, change, unknown};
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Most accounts that an error names.
const MOST_ACCOUNTS: usize = 10;

/// Longest time for which a request waits.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Request to verify a support address in a connected domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyAddress {
    /// Support address.
    pub address: Address,
    /// Id or native domain of the account, where several have the address.
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Verifies mail that comes in, and nothing else that is not asked for.
    #[arg(long)]
    #[serde(default)]
    pub inbound: bool,
    /// Verifies mail that leaves through the customer's smart host, and nothing else that is not
    /// asked for.
    #[arg(long)]
    #[serde(default)]
    pub outbound: bool,
    /// Verifies both by one mail, out through the smart host to the address itself and back.
    #[arg(long)]
    #[serde(default)]
    pub circuit: bool,
}

/// Request to wait for the end of probes, ten seconds at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwaitVerification {
    /// Account.
    pub account: AccountId,
    /// Support address.
    pub address: Address,
}

/// Verification of a support address, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AddressVerification {
    /// Account.
    pub account: AccountId,
    /// Support address.
    pub address: Address,
    /// Probes that are on their way.
    pub waiting: Vec<ProbeId>,
    /// Mail that comes in.
    pub inbound: DirectionVerification,
    /// Mail that leaves through the customer's smart host.
    pub outbound: DirectionVerification,
}

/// Verification of one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DirectionVerification {
    /// State.
    #[serde(flatten)]
    pub state: Verification,
    /// Finding of the last probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<LastCheck>,
}

impl AddressVerification {
    pub(crate) fn of(view: &View, address: &SupportAddress) -> Self {
        let details = &address.details;
        let mine = view
            .probes()
            .filter(|probe| probe.account == address.account && probe.address == address.address);
        Self {
            account: address.account,
            address: address.address.clone(),
            waiting: mine.map(|probe| probe.id.clone()).collect(),
            inbound: DirectionVerification {
                state: details.inbound.clone(),
                check: details.inbound_check.clone(),
            },
            outbound: DirectionVerification {
                state: details.outbound.clone(),
                check: details.outbound_check.clone(),
            },
        }
    }
}

/// Sends the probes of a support address that are asked for; without a choice, those that its
/// connector needs.
///
/// # Errors
/// No account has the address, or several; its domain is not connected or not vouched for; no
/// connection serves it; no relay runs; or a store failed.
pub async fn verify(
    on: &Runtime,
    asked: VerifyAddress,
) -> Result<AddressVerification, OperationError> {
    let probes = on.running_probes()?;
    let view = on.directory.view();
    let address = find(&view, &asked)?;
    let usual = probes.kinds(&view, &address).ok_or_else(|| {
        let text = format!(
            "{} is in no connected domain that is vouched for",
            address.address
        );
        OperationError::new(Code::NothingToVerify, text)
    })?;
    let chosen = [
        (asked.inbound, ProbeKind::Inbound),
        (asked.outbound, ProbeKind::Outbound),
        (asked.circuit, ProbeKind::Circuit),
    ];
    let chosen = chosen.into_iter().filter(|(is_chosen, _)| *is_chosen);
    let chosen: Vec<ProbeKind> = chosen.map(|(_, kind)| kind).collect();
    let kinds = match chosen.is_empty() {
        true => usual,
        false => &chosen,
    };
    if let Some(connector) = address.connector {
        // One of an earlier version leaves as it did until it is verified for the first time.
        let begun = move |directory: &Directory| directory.begin_verification(connector);
        change(&on.directory, begun).await?;
    }
    for kind in kinds {
        let order = ProbeOrder {
            account: address.account,
            address: address.address.clone(),
            kind: *kind,
            is_scheduled: false,
        };
        begin(on, order).await?;
    }
    shown(on, address.account, &address.address)
}

/// Waits until no probe of a support address is on its way, ten seconds at most.
///
/// # Errors
/// The account has no such address, or no relay runs.
pub async fn wait(
    on: &Runtime,
    asked: AwaitVerification,
) -> Result<AddressVerification, OperationError> {
    let now = shown(on, asked.account, &asked.address)?;
    on.running_probes()?.ended(&now.waiting, HEARTBEAT).await;
    shown(on, asked.account, &asked.address)
}

/// Sends the probes that are due on the schedule.
pub async fn verify_due(on: &Runtime, now: Millis) {
    let Ok(probes) = on.running_probes() else {
        return;
    };
    for Due {
        account,
        address,
        kind,
    } in probes.due(now)
    {
        let order = ProbeOrder {
            account,
            address,
            kind,
            is_scheduled: true,
        };
        let address = order.address.clone();
        if let Err(error) = begin(on, order).await {
            tracing::warn!(%address, %error, "an address cannot be verified again");
        }
    }
}

/// Sends a probe. One that is to leave through the customer's smart host is sent only if a session
/// with it comes about: a refusal is known at once.
async fn begin(on: &Runtime, order: ProbeOrder) -> Result<(), OperationError> {
    let probes = on.running_probes()?;
    let leaves_by_smart_host = order.kind != ProbeKind::Inbound;
    if leaves_by_smart_host && let Some(failure) = refusal(on, &order).await? {
        tracing::info!(
            address = %order.address,
            proves = directions(order.kind).len(),
            "no probe is sent: the smart host opens no session"
        );
        probes.refused(&order, failure).await?;
        return Ok(());
    }
    probes.send(order).await?;
    Ok(())
}

/// Opens a session with the smart host of an address; returns the failure if it refuses.
async fn refusal(
    on: &Runtime,
    order: &ProbeOrder,
) -> Result<Option<VerificationFailure>, OperationError> {
    let account = order.account.to_string();
    let found = on.connections.serving(&account, &order.address);
    let found = found.ok_or_else(|| {
        let text = format!("no connection serves {}", order.address);
        OperationError::new(Code::NoConnection, text)
    })?;
    let session = open_session(on, &found).await?;
    let Some(SessionMeaning { refusal, meaning }) = session.refusal else {
        return Ok(None);
    };
    Ok(Some(match &refusal.reply {
        Some(reply) => failure_of_reply(&found.profile, refusal.stage, reply),
        None => {
            let now = Millis::now();
            let trouble = ConnectionTrouble {
                since: now,
                stage: refusal.stage,
                class: meaning.class,
                words: refusal.words.clone(),
                advice: meaning.advice.clone(),
                next_probe: now,
            };
            failure_of_trouble(&found.profile, &trouble)
        }
    }))
}

/// Finds the support address that is asked for.
fn find(view: &View, asked: &VerifyAddress) -> Result<SupportAddress, OperationError> {
    if let Some(named) = &asked.account {
        let account = account_id(view, named)?;
        let found = view.address(account, &asked.address).cloned();
        return found.ok_or_else(|| unknown("address", &asked.address).into());
    }
    let accounts = view.accounts();
    let mut found = accounts.filter_map(|account| view.address(account.id, &asked.address));
    let first = found.next();
    let first = first.ok_or_else(|| unknown("address", &asked.address))?;
    match found.next() {
        None => Ok(first.clone()),
        Some(second) => {
            let owners = [first, second].into_iter().chain(found);
            let native = owners.take(MOST_ACCOUNTS).map(|of| {
                let account = view.account(of.account);
                account.map_or_else(
                    || of.account.to_string(),
                    |account| account.profile.native_domain.to_string(),
                )
            });
            let native: Vec<_> = native.collect();
            let text = format!(
                "several accounts have {}: name one with --account ({})",
                asked.address,
                native.join(", ")
            );
            Err(OperationError::new(Code::SeveralAccounts, text))
        }
    }
}

fn shown(
    on: &Runtime,
    account: AccountId,
    address: &Address,
) -> Result<AddressVerification, OperationError> {
    let view = on.directory.view();
    let found = view.address(account, address);
    let found = found.ok_or_else(|| unknown("address", address))?;
    Ok(AddressVerification::of(&view, found))
}

impl From<ProbeError> for OperationError {
    fn from(error: ProbeError) -> Self {
        match error {
            ProbeError::Directory(error) => error.into(),
            ProbeError::Spool(error) => error.into(),
            ProbeError::NoAddress(_) => Self::new(Code::NothingToVerify, error),
            ProbeError::NoKey => Self::new(Code::StoreFailed, error),
        }
    }
}
