//! Requests to the directory, and their responses.

use gatepost_directory::{
    Account, AccountId, Claim, Connector, ConnectorId, Credential, Directory, DirectoryError,
    Forwarders, Grant, Issued, PolicySettings, Profile, Refusal, SupportAddress, UserName, View,
};
use gatepost_message::{Address, Domain};
use serde::{Deserialize, Serialize};

/// Request to the directory. Accounts are named by id or native domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum DirectoryRequest {
    /// Adds an account.
    AccountAdd(Profile),
    /// Lists all accounts.
    AccountList,
    /// Shows an account.
    AccountShow {
        /// Account by its id or native domain.
        account: String,
    },
    /// Removes an account that owns nothing.
    AccountRemove {
        /// Account by its id or native domain.
        account: String,
    },
    /// Sets an account's settings for a policy; with none, the policy's own settings apply.
    AccountSet {
        /// Account by its id or native domain.
        account: String,
        /// Name of the policy.
        policy: String,
        /// New settings.
        settings: Option<PolicySettings>,
    },
    /// Connects a domain to an account.
    ConnectorAdd {
        /// Account by its id or native domain.
        account: String,
        /// Connector without its account.
        connector: ConnectorAsk,
    },
    /// Lists connectors.
    ConnectorList {
        /// Account by its id or native domain; all accounts if absent.
        account: Option<String>,
    },
    /// Shows a connector.
    ConnectorShow {
        /// Id of the connector.
        connector: ConnectorId,
    },
    /// Marks the domain as verified.
    ConnectorVerify {
        /// Id of the connector.
        connector: ConnectorId,
    },
    /// Disconnects the domain.
    ConnectorDisconnect {
        /// Id of the connector.
        connector: ConnectorId,
    },
    /// Sets the known forwarders of its mail.
    ConnectorForwarders {
        /// Id of the connector.
        connector: ConnectorId,
        /// Known forwarders.
        forwarders: Forwarders,
    },
    /// Removes a connector that owns nothing.
    ConnectorRemove {
        /// Id of the connector.
        connector: ConnectorId,
    },
    /// Adds a support address.
    AddressAdd {
        /// Account by its id or native domain.
        account: String,
        /// Address to add.
        address: Address,
    },
    /// Lists support addresses.
    AddressList {
        /// Account by its id or native domain; all accounts if absent.
        account: Option<String>,
    },
    /// Shows all accounts that have a support address. If the domain is only claimed, there may be
    /// several.
    AddressShow {
        /// Address to look up.
        address: Address,
    },
    /// Removes a support address.
    AddressRemove {
        /// Account by its id or native domain.
        account: String,
        /// Address to remove.
        address: Address,
    },
    /// Issues a credential for relay from a domain.
    CredentialAddInbound {
        /// Connector of the domain.
        connector: ConnectorId,
        /// True if it gets the account's alias.
        alias: bool,
    },
    /// Issues a credential for submission.
    CredentialAddSubmission {
        /// Account by its id or native domain.
        account: String,
        /// True if it gets the account's alias.
        alias: bool,
    },
    /// Lists credentials.
    CredentialList {
        /// Account by its id or native domain; all accounts if absent.
        account: Option<String>,
    },
    /// Shows a credential.
    CredentialShow {
        /// User name of the credential.
        user_name: UserName,
    },
    /// Revokes a credential.
    CredentialRevoke {
        /// User name of the credential.
        user_name: UserName,
    },
    /// Deletes a credential.
    CredentialRemove {
        /// User name of the credential.
        user_name: UserName,
    },
    /// Encrypts everything with a new key.
    Rekey,
}

/// New connector without its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectorAsk {
    /// Name for people.
    pub name: gatepost_directory::Name,
    /// Domain to connect.
    pub domain: Domain,
    /// Direction of the mail that passes through the relay.
    pub kind: gatepost_directory::ConnectorKind,
    /// Authentication mechanism that the customer's server expects of us.
    pub protocol: gatepost_directory::Protocol,
}

/// Response of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectoryResponse {
    /// Accounts that were found, added or changed.
    Accounts(Vec<Account>),
    /// Connectors that were found, added or changed.
    Connectors(Vec<Connector>),
    /// Support addresses that were found or added.
    Addresses(Vec<SupportAddress>),
    /// Credentials that were found.
    Credentials(Vec<Credential>),
    /// New credential with its secret.
    Issued(Box<Issued>),
    /// Number of values that were encrypted with the new key.
    Rekeyed(usize),
    /// The request was executed.
    Done,
}

/// Executes a request. Blocks.
///
/// # Errors
/// The request is not allowed, or the store failed.
pub(super) fn execute(
    directory: &Directory,
    request: DirectoryRequest,
) -> Result<DirectoryResponse, DirectoryError> {
    use DirectoryRequest as Request;
    use DirectoryResponse as Response;

    let view = directory.view();
    let account_filter =
        |account: Option<String>| account.map(|text| account_id(&view, &text)).transpose();
    Ok(match request {
        Request::AccountAdd(profile) => Response::Accounts(vec![directory.add_account(profile)?]),
        Request::AccountList => Response::Accounts(view.accounts().cloned().collect()),
        Request::AccountShow { account } => {
            let account = view.account(account_id(&view, &account)?);
            Response::Accounts(account.cloned().into_iter().collect())
        }
        Request::AccountRemove { account } => {
            directory.remove_account(account_id(&view, &account)?)?;
            Response::Done
        }
        Request::AccountSet {
            account,
            policy,
            settings,
        } => {
            let account = account_id(&view, &account)?;
            directory.set_policy(account, &policy, settings)?;
            let changed = directory.view();
            Response::Accounts(changed.account(account).cloned().into_iter().collect())
        }
        Request::ConnectorAdd { account, connector } => {
            let account = account_id(&view, &account)?;
            let ConnectorAsk {
                name,
                domain,
                kind,
                protocol,
            } = connector;
            Response::Connectors(vec![directory.add_connector(Claim {
                account,
                name,
                domain,
                kind,
                protocol,
            })?])
        }
        Request::ConnectorList { account } => {
            Response::Connectors(match account_filter(account)? {
                Some(account) => view.connectors(account).to_vec(),
                None => all_connectors(&view).cloned().collect(),
            })
        }
        Request::ConnectorShow { connector } => {
            let found = all_connectors(&view).find(|found| found.id == connector);
            let found = found.ok_or_else(|| unknown("connector", connector))?;
            Response::Connectors(vec![found.clone()])
        }
        Request::ConnectorVerify { connector } => {
            Response::Connectors(vec![directory.verify_connector(connector)?])
        }
        Request::ConnectorDisconnect { connector } => {
            Response::Connectors(vec![directory.disconnect_connector(connector)?])
        }
        Request::ConnectorForwarders {
            connector,
            forwarders,
        } => Response::Connectors(vec![directory.set_forwarders(connector, forwarders)?]),
        Request::ConnectorRemove { connector } => {
            directory.remove_connector(connector)?;
            Response::Done
        }
        Request::AddressAdd { account, address } => {
            let account = account_id(&view, &account)?;
            Response::Addresses(vec![directory.add_address(account, address)?])
        }
        Request::AddressList { account } => {
            let account = account_filter(account)?;
            let mut addresses = directory.addresses()?;
            addresses.retain(|address| account.is_none_or(|id| address.account == id));
            Response::Addresses(addresses)
        }
        Request::AddressShow { address } => {
            let mut addresses = directory.addresses()?;
            let canonical = gatepost_directory::Canonical::of(&address);
            let is_it = |of: &Address| gatepost_directory::Canonical::of(of) == canonical;
            addresses.retain(|found| is_it(&found.address));
            match addresses.is_empty() {
                true => return Err(unknown("address", address).into()),
                false => Response::Addresses(addresses),
            }
        }
        Request::AddressRemove { account, address } => {
            directory.remove_address(account_id(&view, &account)?, &address)?;
            Response::Done
        }
        Request::CredentialAddInbound { connector, alias } => Response::Issued(Box::new(
            directory.issue(Grant::Inbound { connector }, alias)?,
        )),
        Request::CredentialAddSubmission { account, alias } => {
            let account = account_id(&view, &account)?;
            let issued = directory.issue(Grant::Submission { account }, alias)?;
            Response::Issued(Box::new(issued))
        }
        Request::CredentialList { account } => {
            let account = account_filter(account)?;
            let mut credentials = directory.credentials()?;
            credentials.retain(|credential| account.is_none_or(|id| credential.account == id));
            Response::Credentials(credentials)
        }
        Request::CredentialShow { user_name } => {
            let mut credentials = directory.credentials()?.into_iter();
            let found = credentials.find(|credential| credential.user_name == user_name);
            let found = found.ok_or_else(|| unknown("credential", user_name))?;
            Response::Credentials(vec![found])
        }
        Request::CredentialRevoke { user_name } => {
            directory.revoke(&user_name)?;
            Response::Done
        }
        Request::CredentialRemove { user_name } => {
            directory.remove_credential(&user_name)?;
            Response::Done
        }
        Request::Rekey => Response::Rekeyed(directory.rekey()?),
    })
}

fn all_connectors(view: &View) -> impl Iterator<Item = &Connector> {
    view.accounts()
        .flat_map(|account| view.connectors(account.id))
}

/// Returns the name of an account in policies, queue and trace: of an account of the directory its
/// id, of one of the configuration the given name.
pub(super) fn account_name(directory: &Directory, named: &str) -> String {
    account_id(&directory.view(), named).map_or_else(|_| named.to_owned(), |id| id.to_string())
}

/// Finds an account by its id or its native domain.
pub fn account_id(view: &View, text: &str) -> Result<AccountId, Refusal> {
    let by_id = text.parse().ok().filter(|id| view.account(*id).is_some());
    let by_domain = || view.domain(text).filter(|found| found.connector.is_none());
    by_id
        .or_else(|| by_domain().map(|found| found.account))
        .ok_or_else(|| unknown("account", text))
}

fn unknown(what: &'static str, name: impl ToString) -> Refusal {
    let name = name.to_string();
    Refusal::Unknown { what, name }
}
