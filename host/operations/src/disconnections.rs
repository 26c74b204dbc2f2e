//! Disconnection of domains and addresses: at once, with what is queued held or sent another way, and
//! back again.

use clap::Args;
use gatepost_directory::{
    AccountId, Connector, ConnectorId, ConnectorState, Directory, DirectoryError, QueuedMail, View,
};
use gatepost_intake::suspension;
use gatepost_message::{Address, Millis};
use gatepost_model::{AlertKind, Event, NoticeSubject};
use gatepost_spool::Selection;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::connections::try_now;
use crate::directory::{account_id, change, unknown};
use crate::error::OperationError;
use crate::named_connector::NamedConnector;
use crate::runtime::Runtime;

/// Request to disconnect a domain, an address in it, or all domains of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisconnectConnector {
    /// Domain of the connector, or its id.
    #[arg(required_unless_present = "account")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<NamedConnector>,
    /// Only this support address in its domain.
    #[arg(long, requires = "connector")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// All domains of this account, by its id or native domain, in place of one connector.
    #[arg(long, conflicts_with = "connector")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Fate of mail that is queued: `hold` until they are connected again, or `reroute`,
    /// from the default address.
    #[arg(long, value_name = "hold|reroute", default_value = "hold")]
    #[serde(default = "hold")]
    pub queued: QueuedMail,
}

fn hold() -> QueuedMail {
    QueuedMail::Hold
}

/// Request to connect again what was disconnected.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct ReconnectConnector {
    /// Domain of the connector, or its id.
    #[arg(required_unless_present = "account")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<NamedConnector>,
    /// Only this support address in its domain.
    #[arg(long, requires = "connector")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// All domains of this account, by its id or native domain, in place of one connector.
    #[arg(long, conflicts_with = "connector")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// Domain or address after it was disconnected or connected again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SwitchedSender {
    /// Id of the account.
    pub account: AccountId,
    /// Id of the connector.
    pub id: ConnectorId,
    /// Domain, or the address alone.
    pub sender: String,
    /// State.
    pub state: ConnectorState,
    /// Fate of mail that was queued before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<QueuedMail>,
}

/// Disconnects senders: their credentials stop vouching, their addresses still receive, and their
/// mail leaves from a default address.
///
/// # Errors
/// There is no such connector, address or account, it is only claimed, or a store cannot be changed.
pub async fn disconnect(
    on: &Runtime,
    asked: DisconnectConnector,
) -> Result<Vec<SwitchedSender>, OperationError> {
    let DisconnectConnector {
        connector,
        address,
        account,
        queued,
    } = asked;
    let of = Senders::new(&on.directory.view(), connector, address, account)?;
    let switched = switch(on, of, Switch::Disconnect(queued)).await?;
    for one in &switched {
        tell(on, one, "is disconnected", true).await;
    }
    // What is queued is looked at now, and held or sent another way.
    for account in accounts_of(&switched) {
        make_due(on, account).await?;
    }
    Ok(switched)
}

/// Connects senders again: all is as it was, and what was held for them is released.
///
/// # Errors
/// There is no such connector, address or account, it is only claimed, or a store cannot be changed.
pub async fn reconnect(
    on: &Runtime,
    asked: ReconnectConnector,
) -> Result<Vec<SwitchedSender>, OperationError> {
    let ReconnectConnector {
        connector,
        address,
        account,
    } = asked;
    let of = Senders::new(&on.directory.view(), connector, address, account)?;
    let switched = switch(on, of, Switch::Reconnect).await?;
    for one in &switched {
        tell(on, one, "is connected again", false).await;
    }
    for account in accounts_of(&switched) {
        let (view, name) = (on.directory.view(), account.to_string());
        suspension::release(&*on.queue, &on.trace, &view, Some(&name)).await?;
        make_due(on, account).await?;
    }
    Ok(switched)
}

/// Senders that are disconnected, or connected again.
enum Senders {
    Domain(ConnectorId),
    Address(ConnectorId, Address),
    Account(String),
}

impl Senders {
    fn new(
        view: &View,
        connector: Option<NamedConnector>,
        address: Option<Address>,
        account: Option<String>,
    ) -> Result<Self, OperationError> {
        let connector = connector.map(|named| named.find(view)).transpose()?;
        match (connector, address, account) {
            (Some(connector), None, None) => Ok(Self::Domain(connector)),
            (Some(connector), Some(address), None) => Ok(Self::Address(connector, address)),
            (None, None, Some(account)) => Ok(Self::Account(account)),
            _ => Err(OperationError::new(
                Code::NotUnderstood,
                "name a connector, or one and an address in its domain, or an account",
            )),
        }
    }
}

/// Switch that is asked for.
#[derive(Debug, Clone, Copy)]
enum Switch {
    Disconnect(QueuedMail),
    Reconnect,
}

impl Switch {
    fn connector(
        self,
        directory: &Directory,
        id: ConnectorId,
    ) -> Result<SwitchedSender, DirectoryError> {
        let switched = match self {
            Self::Disconnect(queued) => directory.disconnect_connector(id, queued)?,
            Self::Reconnect => directory.reconnect_connector(id)?,
        };
        Ok(SwitchedSender {
            account: switched.claim.account,
            id,
            sender: switched.claim.domain.to_string(),
            state: switched.state,
            queued: switched.details.disconnected.map(|of| of.queued),
        })
    }

    fn address(
        self,
        directory: &Directory,
        connector: &Connector,
        address: &Address,
    ) -> Result<SwitchedSender, DirectoryError> {
        let account = connector.claim.account;
        let switched = match self {
            Self::Disconnect(queued) => directory.disconnect_address(account, address, queued)?,
            Self::Reconnect => directory.reconnect_address(account, address)?,
        };
        let disconnected = switched.details.disconnected;
        Ok(SwitchedSender {
            account,
            id: connector.id,
            sender: switched.address.to_string(),
            state: match disconnected {
                Some(_) => ConnectorState::Disconnected,
                None => connector.state,
            },
            queued: disconnected.map(|of| of.queued),
        })
    }
}

async fn switch(
    on: &Runtime,
    of: Senders,
    switch: Switch,
) -> Result<Vec<SwitchedSender>, OperationError> {
    let view = on.directory.view();
    match of {
        Senders::Domain(id) => {
            let switched = change(&on.directory, move |directory| {
                switch.connector(directory, id)
            });
            Ok(vec![switched.await?])
        }
        Senders::Address(id, address) => {
            let mut accounts = view.accounts();
            let connector = accounts.find_map(|account| view.connector(account.id, id));
            let connector = connector.ok_or_else(|| unknown("connector", id))?.clone();
            if !connector.claim.domain.matches(address.domain()) {
                return Err(unknown("address", address).into());
            }
            let switched = change(&on.directory, move |directory| {
                switch.address(directory, &connector, &address)
            });
            Ok(vec![switched.await?])
        }
        Senders::Account(named) => {
            let owned = view.connectors(account_id(&view, &named)?).iter();
            let owned = owned.filter(|of| of.state.receives()).map(|of| of.id);
            let owned: Vec<_> = owned.collect();
            change(&on.directory, move |directory| {
                let switched = owned.into_iter().map(|id| switch.connector(directory, id));
                switched.collect()
            })
            .await
        }
    }
}

fn accounts_of(switched: &[SwitchedSender]) -> Vec<AccountId> {
    let mut accounts: Vec<_> = switched.iter().map(|one| one.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}

/// Makes the queued mail of an account due, and has its connections tried: what is to go another way
/// would wait for a broken one.
async fn make_due(on: &Runtime, account: AccountId) -> Result<(), OperationError> {
    let account = account.to_string();
    let all = on.connections.all().into_iter().map(|found| found.key);
    for key in all.filter(|key| key.account.as_deref() == Some(&account)) {
        try_now(&*on.queue, &on.states, on.reopen.as_ref(), &key).await?;
    }
    let waiting = Selection {
        account: Some(account),
        ..Selection::default()
    };
    on.queue.retry(waiting, Millis::now()).await?;
    Ok(())
}

/// Tells the account of a switch by an event, and its administrators of a disconnection.
async fn tell(on: &Runtime, one: &SwitchedSender, what: &str, alerts: bool) {
    let account = one.account.to_string();
    tracing::warn!(account, sender = one.sender, "a connected sender {what}");
    let text = format!("{} {what}", one.sender);
    let subject = NoticeSubject::Connector;
    let notice = Event::notice(Some(account), subject, text, Millis::now());
    on.notice(match alerts {
        true => notice.alerting(AlertKind::Disconnected, &one.sender, None),
        false => notice,
    })
    .await;
}
