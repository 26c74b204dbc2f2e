//! What an operator, or the application, asks of partners.

use std::time::Duration;

use gatepost_directory::{
    AccountId, Agreement, Directory, DirectoryError, ImportId, ListChange, Partner, PartnerEntry,
    PartnerList, PartnerSource, Refusal, View,
};
use gatepost_message::{Address, CanonicalAddress};
use serde::{Deserialize, Serialize};

use super::directory::account_id;

/// What is asked. Accounts go by their id or their native domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum PartnerRequest {
    /// Make a sharing agreement.
    SharingAdd {
        /// One of the two.
        account: String,
        /// The other.
        partner: String,
    },
    /// The sharing agreements, of one account or of all.
    SharingList {
        /// Whose.
        account: Option<String>,
    },
    /// End a sharing agreement.
    SharingRemove {
        /// One of the two.
        account: String,
        /// The other.
        partner: String,
    },
    /// Add a partner by hand.
    Add {
        /// Whose.
        account: String,
        /// Which.
        entry: PartnerEntry,
    },
    /// Remove one that was added by hand or imported.
    Remove {
        /// Whose.
        account: String,
        /// Which.
        entry: PartnerEntry,
    },
    /// Remove an import with all its entries.
    RemoveImport {
        /// Whose.
        account: String,
        /// Its name.
        name: String,
    },
    /// The addresses that an account shares by agreements, and its lists.
    Lists {
        /// Whose; of all accounts where it is left out.
        account: Option<String>,
    },
    /// Entries of a list.
    Entries {
        /// Which list.
        list: u32,
        /// Those after this one.
        after: Option<String>,
        /// At most so many.
        limit: usize,
    },
    /// Whether an address is a partner's.
    LookUp {
        /// Whose.
        account: String,
        /// Which.
        address: Address,
    },
    /// Begin an import.
    ImportBegin {
        /// Whose.
        account: String,
    },
    /// Hand entries to it.
    ImportAdd {
        /// Which import.
        import: ImportId,
        /// Its next entries.
        entries: Vec<PartnerEntry>,
    },
    /// Put what it holds into its list.
    ImportFinish {
        /// Which import.
        import: ImportId,
        /// Whose.
        account: String,
        /// The list's name.
        name: String,
        /// Whether it takes the place of what is in the list.
        replace: bool,
    },
    /// Give it up.
    ImportAbandon {
        /// Which import.
        import: ImportId,
    },
    /// Set up a feed.
    FeedSet {
        /// Whose.
        account: String,
        /// Where its list is.
        url: String,
        /// How long from one fetch to the next.
        every: Duration,
        /// Whether it may hold whole domains.
        domains: bool,
    },
    /// Remove a feed with all its entries.
    FeedRemove {
        /// Whose.
        account: String,
        /// Which.
        url: String,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartnerResponse {
    /// Agreements.
    Agreements(Vec<Agreement>),
    /// What an account has of its own and by agreements.
    Lists {
        /// By agreements: whose partner, and the address.
        shared: Vec<Shared>,
        /// Its lists.
        lists: Vec<PartnerList>,
    },
    /// Entries of a list.
    Entries(Vec<PartnerEntry>),
    /// Whether an address is a partner's.
    LookedUp(LookedUp),
    /// An import has begun.
    Import(ImportId),
    /// An import was put in.
    Imported(ListChange),
    /// What a fetch of a feed changed.
    Fetched(ListChange),
    /// A feed.
    Feed(Box<PartnerList>),
    /// So many entries were removed.
    Removed(usize),
    /// Whether it was new.
    Added(bool),
    /// It is done.
    Done,
}

/// A partner address by an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Shared {
    /// Whose partner it is.
    pub account: AccountId,
    /// Where the other account receives.
    pub address: String,
    /// The other account.
    pub with: AccountId,
}

/// Whether an address is a partner's of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LookedUp {
    /// The account.
    pub account: AccountId,
    /// What was asked about.
    pub address: Address,
    /// The form in which it is compared.
    pub canonical: String,
    /// Whether it is a partner's.
    pub partner: bool,
    /// By what: an agreement first, by its whole domain last.
    pub by: Vec<Partner>,
}

impl LookedUp {
    /// Looks an address up.
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

/// Carries a request out. Blocks.
///
/// # Errors
/// It may not be done, or could not.
pub(super) fn execute(
    directory: &Directory,
    request: PartnerRequest,
) -> Result<PartnerResponse, DirectoryError> {
    use PartnerRequest as Ask;
    use PartnerResponse as Answer;

    let view = directory.view();
    let id = |account: &str| account_id(&view, account);
    let whose = |account: Option<String>| account.map(|text| id(&text)).transpose();
    Ok(match request {
        Ask::SharingAdd { account, partner } => {
            let made = directory.add_agreement(id(&account)?, id(&partner)?)?;
            Answer::Agreements(vec![made])
        }
        Ask::SharingList { account } => {
            let account = whose(account)?;
            let of = |agreement: &&Agreement| {
                account.is_none_or(|account| agreement.with(account).is_some())
            };
            Answer::Agreements(view.agreements().iter().filter(of).copied().collect())
        }
        Ask::SharingRemove { account, partner } => {
            directory.remove_agreement(id(&account)?, id(&partner)?)?;
            Answer::Done
        }
        Ask::Add { account, entry } => Answer::Added(directory.add_partner(id(&account)?, &entry)?),
        Ask::Remove { account, entry } => {
            directory.remove_partner(id(&account)?, &entry)?;
            Answer::Removed(1)
        }
        Ask::RemoveImport { account, name } => {
            let source = PartnerSource::Import(name);
            Answer::Removed(directory.remove_partner_list(id(&account)?, &source)?)
        }
        Ask::FeedRemove { account, url } => {
            let source = PartnerSource::Feed(url);
            Answer::Removed(directory.remove_partner_list(id(&account)?, &source)?)
        }
        Ask::Lists { account } => {
            let account = whose(account)?;
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
            Answer::Lists {
                shared: shared.collect(),
                lists: lists.filter(of).cloned().collect(),
            }
        }
        Ask::Entries { list, after, limit } => {
            Answer::Entries(directory.partner_entries(list, after.as_deref(), limit)?)
        }
        Ask::LookUp { account, address } => {
            Answer::LookedUp(LookedUp::of(&view, id(&account)?, address))
        }
        Ask::ImportBegin { account } => Answer::Import(directory.begin_import(id(&account)?)?),
        Ask::ImportAdd { import, entries } => {
            directory.add_to_import(import, &entries)?;
            Answer::Done
        }
        Ask::ImportFinish {
            import,
            account,
            name,
            replace,
        } => Answer::Imported(directory.finish_import(import, id(&account)?, &name, replace)?),
        Ask::ImportAbandon { import } => {
            directory.abandon_import(import)?;
            Answer::Done
        }
        Ask::FeedSet {
            account,
            url,
            every,
            domains,
        } => {
            let feed = directory.set_feed(id(&account)?, &url, every, domains)?;
            Answer::Feed(Box::new(feed))
        }
    })
}

/// A feed of an account.
///
/// # Errors
/// There is no such account, or it has no such feed.
pub(super) fn feed(view: &View, account: &str, url: String) -> Result<PartnerList, Refusal> {
    let account = account_id(view, account)?;
    let source = PartnerSource::Feed(url);
    let found = |list: &&PartnerList| list.account == account && list.source == source;
    let list = view.partner_lists().find(found).cloned();
    list.ok_or(Refusal::NoPartnerList {
        account,
        list: source,
    })
}
