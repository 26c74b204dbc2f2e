//! Requests about partners by operators and applications, and their responses.

use std::time::Duration;

use gatepost_directory::{
    AccountId, Agreement, Directory, DirectoryError, ImportId, ListChange, Partner, PartnerEntry,
    PartnerList, PartnerSource, Refusal, View,
};
use gatepost_message::{Address, CanonicalAddress};
use serde::{Deserialize, Serialize};

use super::directory::account_id;

/// Request about partners. Accounts are named by id or native domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum PartnerRequest {
    /// Makes a sharing agreement.
    SharingAdd {
        /// Account by its id or native domain.
        account: String,
        /// Other account by its id or native domain.
        partner: String,
    },
    /// Lists sharing agreements.
    SharingList {
        /// Account by its id or native domain; all accounts if absent.
        account: Option<String>,
    },
    /// Ends a sharing agreement.
    SharingRemove {
        /// Account by its id or native domain.
        account: String,
        /// Other account by its id or native domain.
        partner: String,
    },
    /// Adds an entry by hand.
    Add {
        /// Account by its id or native domain.
        account: String,
        /// Entry to add.
        entry: PartnerEntry,
    },
    /// Removes an entry that was added by hand or imported.
    Remove {
        /// Account by its id or native domain.
        account: String,
        /// Entry to remove.
        entry: PartnerEntry,
    },
    /// Removes an import with all its entries.
    RemoveImport {
        /// Account by its id or native domain.
        account: String,
        /// Name of the import.
        name: String,
    },
    /// Lists the addresses that an account shares by agreements, and its lists.
    Lists {
        /// Account by its id or native domain; all accounts if absent.
        account: Option<String>,
    },
    /// Lists entries of a list.
    Entries {
        /// Id of the list.
        list: u32,
        /// Last entry of the page before.
        after: Option<String>,
        /// Maximum number of entries.
        limit: usize,
    },
    /// Looks up whether an address is a partner.
    LookUp {
        /// Account by its id or native domain.
        account: String,
        /// Address to look up.
        address: Address,
    },
    /// Begins an import.
    ImportBegin {
        /// Account by its id or native domain.
        account: String,
    },
    /// Adds entries to an import.
    ImportAdd {
        /// Id of the import.
        import: ImportId,
        /// Entries to add.
        entries: Vec<PartnerEntry>,
    },
    /// Moves the entries of an import into its list.
    ImportFinish {
        /// Id of the import.
        import: ImportId,
        /// Account by its id or native domain.
        account: String,
        /// Name of the list.
        name: String,
        /// True if they replace the entries of the list.
        replace: bool,
    },
    /// Drops an import.
    ImportAbandon {
        /// Id of the import.
        import: ImportId,
    },
    /// Adds a feed or changes its settings.
    FeedSet {
        /// Account by its id or native domain.
        account: String,
        /// URL of the feed.
        url: String,
        /// Interval between fetches.
        every: Duration,
        /// True if whole domains are allowed.
        domains: bool,
    },
    /// Removes a feed with all its entries.
    FeedRemove {
        /// Account by its id or native domain.
        account: String,
        /// URL of the feed.
        url: String,
    },
}

/// Response to a request about partners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartnerResponse {
    /// Sharing agreements.
    Agreements(Vec<Agreement>),
    /// Partner addresses by agreements, and lists.
    Lists {
        /// Partner addresses by agreements.
        shared: Vec<Shared>,
        /// Lists of the accounts.
        lists: Vec<PartnerList>,
    },
    /// Entries of a list.
    Entries(Vec<PartnerEntry>),
    /// Result of a look-up.
    LookedUp(LookedUp),
    /// Id of the import that has begun.
    Import(ImportId),
    /// Changes made by an import.
    Imported(ListChange),
    /// Changes made by a fetch of a feed.
    Fetched(ListChange),
    /// Feed with its settings.
    Feed(Box<PartnerList>),
    /// Number of entries that were removed.
    Removed(usize),
    /// True if the entry was new.
    Added(bool),
    /// The request was executed.
    Done,
}

/// Partner address by a sharing agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Shared {
    /// Account that has the address as a partner.
    pub account: AccountId,
    /// Address at which the other account receives.
    pub address: String,
    /// Other account of the agreement.
    pub with: AccountId,
}

/// Result of looking up a partner address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LookedUp {
    /// Account that was named.
    pub account: AccountId,
    /// Address that was looked up.
    pub address: Address,
    /// Canonical form of the address.
    pub canonical: String,
    /// True if it is a partner.
    pub partner: bool,
    /// Sources by which it is one: agreements first, entries for its domain last.
    pub by: Vec<Partner>,
}

impl LookedUp {
    /// Looks an address up in a view.
    pub fn of(view: &View, account: AccountId, address: Address) -> Self {
        let by = view.partners(account, &address);
        Self {
            account,
            canonical: view.canonical(&address).to_string(),
            address,
            partner: !by.is_empty(),
            by,
        }
    }
}

/// Executes a request. Blocks.
///
/// # Errors
/// The request is not allowed, or the store failed.
pub(super) fn execute(
    directory: &Directory,
    request: PartnerRequest,
) -> Result<PartnerResponse, DirectoryError> {
    use PartnerRequest as Request;
    use PartnerResponse as Response;

    let view = directory.view();
    let id = |account: &str| account_id(&view, account);
    let account_filter = |account: Option<String>| account.map(|text| id(&text)).transpose();
    Ok(match request {
        Request::SharingAdd { account, partner } => {
            let made = directory.add_agreement(id(&account)?, id(&partner)?)?;
            Response::Agreements(vec![made])
        }
        Request::SharingList { account } => {
            let account = account_filter(account)?;
            let of = |agreement: &&Agreement| {
                account.is_none_or(|account| agreement.with(account).is_some())
            };
            Response::Agreements(view.agreements().iter().filter(of).copied().collect())
        }
        Request::SharingRemove { account, partner } => {
            directory.remove_agreement(id(&account)?, id(&partner)?)?;
            Response::Done
        }
        Request::Add { account, entry } => {
            Response::Added(directory.add_partner(id(&account)?, &entry)?)
        }
        Request::Remove { account, entry } => {
            directory.remove_partner(id(&account)?, &entry)?;
            Response::Removed(1)
        }
        Request::RemoveImport { account, name } => {
            let source = PartnerSource::Import(name);
            Response::Removed(directory.remove_partner_list(id(&account)?, &source)?)
        }
        Request::FeedRemove { account, url } => {
            let source = PartnerSource::Feed(url);
            Response::Removed(directory.remove_partner_list(id(&account)?, &source)?)
        }
        Request::Lists { account } => {
            let account = account_filter(account)?;
            let lists = view.partner_lists();
            let of = |list: &&PartnerList| account.is_none_or(|account| list.account == account);
            let accounts = view.accounts().map(|account| account.id);
            let shared = accounts
                .filter(|id| account.is_none_or(|account| *id == account))
                .flat_map(|account| {
                    let shared = view.shared_with(account).into_iter();
                    shared.map(move |(address, with): (&CanonicalAddress, _)| Shared {
                        account,
                        address: address.to_string(),
                        with,
                    })
                });
            Response::Lists {
                shared: shared.collect(),
                lists: lists.filter(of).cloned().collect(),
            }
        }
        Request::Entries { list, after, limit } => {
            Response::Entries(directory.partner_entries(list, after.as_deref(), limit)?)
        }
        Request::LookUp { account, address } => {
            Response::LookedUp(LookedUp::of(&view, id(&account)?, address))
        }
        Request::ImportBegin { account } => {
            Response::Import(directory.begin_import(id(&account)?)?)
        }
        Request::ImportAdd { import, entries } => {
            directory.add_to_import(import, &entries)?;
            Response::Done
        }
        Request::ImportFinish {
            import,
            account,
            name,
            replace,
        } => Response::Imported(directory.finish_import(import, id(&account)?, &name, replace)?),
        Request::ImportAbandon { import } => {
            directory.abandon_import(import)?;
            Response::Done
        }
        Request::FeedSet {
            account,
            url,
            every,
            domains,
        } => {
            let feed = directory.set_feed(id(&account)?, &url, every, domains)?;
            Response::Feed(Box::new(feed))
        }
    })
}

/// Finds a feed of an account.
///
/// # Errors
/// There is no such account, or it has no such feed.
pub(super) fn find_feed(view: &View, account: &str, url: String) -> Result<PartnerList, Refusal> {
    let account = account_id(view, account)?;
    let source = PartnerSource::Feed(url);
    let found = |list: &&PartnerList| list.account == account && list.source == source;
    let list = view.partner_lists().find(found).cloned();
    list.ok_or(Refusal::NoPartnerList {
        account,
        list: source,
    })
}
