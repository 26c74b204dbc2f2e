//! What an operator asks of the directory.

use gatepost_directory::{
    Account, AccountId, Claim, Connector, ConnectorId, Credential, Directory, DirectoryError,
    Forwarders, Grant, Issued, PolicySettings, Profile, Refusal, SupportAddress, UserName, View,
};
use gatepost_message::{Address, Domain};
use serde::{Deserialize, Serialize};

/// What is asked. Accounts go by their id or their native domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum DirectoryRequest {
    /// Make an account.
    AccountAdd(Profile),
    /// Every account.
    AccountList,
    /// One account.
    AccountShow {
        /// Which.
        account: String,
    },
    /// Remove one that has nothing.
    AccountRemove {
        /// Which.
        account: String,
    },
    /// Set for one account what holds for it in a policy; with nothing, what the policy says.
    AccountSet {
        /// Which.
        account: String,
        /// Name of the policy.
        policy: String,
        /// What holds.
        settings: Option<PolicySettings>,
    },
    /// Connect a domain.
    ConnectorAdd {
        /// Whose.
        account: String,
        /// What; its account is filled in.
        connector: ConnectorAsk,
    },
    /// Connectors, of one account or of all.
    ConnectorList {
        /// Whose.
        account: Option<String>,
    },
    /// One connector.
    ConnectorShow {
        /// Which.
        connector: ConnectorId,
    },
    /// Vouch for its domain.
    ConnectorVerify {
        /// Which.
        connector: ConnectorId,
    },
    /// Vouch for it no longer.
    ConnectorDisconnect {
        /// Which.
        connector: ConnectorId,
    },
    /// Say who is known to forward its mail.
    ConnectorForwarders {
        /// Which.
        connector: ConnectorId,
        /// Who.
        forwarders: Forwarders,
    },
    /// Remove one that has nothing.
    ConnectorRemove {
        /// Which.
        connector: ConnectorId,
    },
    /// Add a support address.
    AddressAdd {
        /// Whose.
        account: String,
        /// Which.
        address: Address,
    },
    /// Support addresses, of one account or of all.
    AddressList {
        /// Whose.
        account: Option<String>,
    },
    /// Whoever has a support address: several may, where a domain is only claimed.
    AddressShow {
        /// Which.
        address: Address,
    },
    /// Remove a support address.
    AddressRemove {
        /// Whose.
        account: String,
        /// Which.
        address: Address,
    },
    /// Make a credential for relay from a domain.
    CredentialAddInbound {
        /// Its connector.
        connector: ConnectorId,
        /// Whether it gets the account's alias.
        alias: bool,
    },
    /// Make a credential for submission.
    CredentialAddSubmission {
        /// Whose.
        account: String,
        /// Whether it gets the account's alias.
        alias: bool,
    },
    /// Credentials, of one account or of all.
    CredentialList {
        /// Whose.
        account: Option<String>,
    },
    /// One credential.
    CredentialShow {
        /// Which.
        user_name: UserName,
    },
    /// End a credential.
    CredentialRevoke {
        /// Which.
        user_name: UserName,
    },
    /// Forget a credential.
    CredentialRemove {
        /// Which.
        user_name: UserName,
    },
    /// Encrypt everything anew with a new key.
    Rekey,
}

/// A connector that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectorAsk {
    /// For people.
    pub name: gatepost_directory::Name,
    /// The domain.
    pub domain: Domain,
    /// Which mail of it passes through us.
    pub kind: gatepost_directory::ConnectorKind,
    /// How the customer's server wants us to authenticate to it.
    pub protocol: gatepost_directory::Protocol,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectoryResponse {
    /// Accounts.
    Accounts(Vec<Account>),
    /// Connectors.
    Connectors(Vec<Connector>),
    /// Support addresses.
    Addresses(Vec<SupportAddress>),
    /// Credentials.
    Credentials(Vec<Credential>),
    /// A new credential with its secret.
    Issued(Box<Issued>),
    /// So many values are encrypted anew.
    Rekeyed(usize),
    /// It is done.
    Done,
}

/// Carries a request out. Blocks.
///
/// # Errors
/// It may not be done, or could not.
pub(super) fn execute(
    directory: &Directory,
    request: DirectoryRequest,
) -> Result<DirectoryResponse, DirectoryError> {
    use DirectoryRequest as Ask;
    use DirectoryResponse as Answer;

    let view = directory.view();
    let whose = |account: Option<String>| account.map(|text| account_id(&view, &text)).transpose();
    Ok(match request {
        Ask::AccountAdd(profile) => Answer::Accounts(vec![directory.add_account(profile)?]),
        Ask::AccountList => Answer::Accounts(view.accounts().cloned().collect()),
        Ask::AccountShow { account } => {
            let account = view.account(account_id(&view, &account)?);
            Answer::Accounts(account.cloned().into_iter().collect())
        }
        Ask::AccountRemove { account } => {
            directory.remove_account(account_id(&view, &account)?)?;
            Answer::Done
        }
        Ask::AccountSet {
            account,
            policy,
            settings,
        } => {
            let account = account_id(&view, &account)?;
            directory.set_policy(account, &policy, settings)?;
            let changed = directory.view();
            Answer::Accounts(changed.account(account).cloned().into_iter().collect())
        }
        Ask::ConnectorAdd { account, connector } => {
            let account = account_id(&view, &account)?;
            let ConnectorAsk {
                name,
                domain,
                kind,
                protocol,
            } = connector;
            Answer::Connectors(vec![directory.add_connector(Claim {
                account,
                name,
                domain,
                kind,
                protocol,
            })?])
        }
        Ask::ConnectorList { account } => Answer::Connectors(match whose(account)? {
            Some(account) => view.connectors(account).to_vec(),
            None => all_connectors(&view).cloned().collect(),
        }),
        Ask::ConnectorShow { connector } => {
            let found = all_connectors(&view).find(|found| found.id == connector);
            let found = found.ok_or_else(|| unknown("connector", connector))?;
            Answer::Connectors(vec![found.clone()])
        }
        Ask::ConnectorVerify { connector } => {
            Answer::Connectors(vec![directory.verify_connector(connector)?])
        }
        Ask::ConnectorDisconnect { connector } => {
            Answer::Connectors(vec![directory.disconnect_connector(connector)?])
        }
        Ask::ConnectorForwarders {
            connector,
            forwarders,
        } => Answer::Connectors(vec![directory.set_forwarders(connector, forwarders)?]),
        Ask::ConnectorRemove { connector } => {
            directory.remove_connector(connector)?;
            Answer::Done
        }
        Ask::AddressAdd { account, address } => {
            let account = account_id(&view, &account)?;
            Answer::Addresses(vec![directory.add_address(account, address)?])
        }
        Ask::AddressList { account } => {
            let account = whose(account)?;
            let mut addresses = directory.addresses()?;
            addresses.retain(|address| account.is_none_or(|id| address.account == id));
            Answer::Addresses(addresses)
        }
        Ask::AddressShow { address } => {
            let mut addresses = directory.addresses()?;
            let canonical = gatepost_directory::Canonical::of(&address);
            let is_it = |of: &Address| gatepost_directory::Canonical::of(of) == canonical;
            addresses.retain(|found| is_it(&found.address));
            match addresses.is_empty() {
                true => return Err(unknown("address", address).into()),
                false => Answer::Addresses(addresses),
            }
        }
        Ask::AddressRemove { account, address } => {
            directory.remove_address(account_id(&view, &account)?, &address)?;
            Answer::Done
        }
        Ask::CredentialAddInbound { connector, alias } => Answer::Issued(Box::new(
            directory.issue(Grant::Inbound { connector }, alias)?,
        )),
        Ask::CredentialAddSubmission { account, alias } => {
            let account = account_id(&view, &account)?;
            let issued = directory.issue(Grant::Submission { account }, alias)?;
            Answer::Issued(Box::new(issued))
        }
        Ask::CredentialList { account } => {
            let account = whose(account)?;
            let mut credentials = directory.credentials()?;
            credentials.retain(|credential| account.is_none_or(|id| credential.account == id));
            Answer::Credentials(credentials)
        }
        Ask::CredentialShow { user_name } => {
            let mut credentials = directory.credentials()?.into_iter();
            let found = credentials.find(|credential| credential.user_name == user_name);
            let found = found.ok_or_else(|| unknown("credential", user_name))?;
            Answer::Credentials(vec![found])
        }
        Ask::CredentialRevoke { user_name } => {
            directory.revoke(&user_name)?;
            Answer::Done
        }
        Ask::CredentialRemove { user_name } => {
            directory.remove_credential(&user_name)?;
            Answer::Done
        }
        Ask::Rekey => Answer::Rekeyed(directory.rekey()?),
    })
}

fn all_connectors(view: &View) -> impl Iterator<Item = &Connector> {
    view.accounts()
        .flat_map(|account| view.connectors(account.id))
}

/// What an account is called in policies, queue and trace: one of the directory by its id, whichever
/// way it is named; one of the configuration as it is.
pub(super) fn policies_account(directory: &Directory, named: &str) -> String {
    account_id(&directory.view(), named).map_or_else(|_| named.to_owned(), |id| id.to_string())
}

/// An account by its id or its native domain.
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
