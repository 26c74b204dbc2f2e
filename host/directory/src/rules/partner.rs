//! Rules of lists of partners.
//!
//! The view has no texts of entries. What a list has already, or will lose, comes with the request.

use std::time::Duration;

use gatepost_message::Millis;

use super::{RuleResult, account, unknown};
use crate::{
    AccountId, DirectoryChange, DirectoryRow, Feed, Fetched, ListChange, PartnerEntry, PartnerList,
    PartnerSource, Recipient, Refusal, RowKey, View,
};

/// Entries that come to a list, and those that go.
#[derive(Debug, Default)]
pub(crate) struct ListDifference {
    /// Entries that the list does not have.
    pub(crate) added: Vec<PartnerEntry>,
    /// Entries of the list that it is to lose.
    pub(crate) removed: Vec<PartnerEntry>,
}

/// Adds an entry by hand; `is_listed` is true if the list has it. Returns true if it was new.
pub(crate) fn add(
    view: &View,
    id: AccountId,
    entry: &PartnerEntry,
    is_listed: bool,
    now: Millis,
) -> RuleResult<bool> {
    account(view, id)?;
    if is_own(view, id, entry) {
        return Err(Refusal::OwnAddress {
            entry: entry.clone(),
            account: id,
        });
    }
    if is_listed {
        return Ok((false, Vec::new()));
    }
    let difference = ListDifference {
        added: vec![entry.clone()],
        removed: Vec::new(),
    };
    let list = list_of(view, id, PartnerSource::ByHand, now);
    let (_, changes) = update(view, list, difference, now);
    Ok((true, changes))
}

/// Removes an entry from the lists of the account that have it.
pub(crate) fn remove(
    view: &View,
    id: AccountId,
    entry: &PartnerEntry,
    listed: &[u32],
    now: Millis,
) -> RuleResult<()> {
    account(view, id)?;
    if listed.is_empty() {
        let partner = match entry {
            PartnerEntry::Address(address) => view.partner(id, address),
            PartnerEntry::Domain(_) => None,
        };
        return Err(Refusal::NoPartner {
            entry: entry.clone(),
            account: id,
            by: partner.map(|partner| partner.source),
        });
    }
    let lists = listed.iter().filter_map(|list| view.partner_list(*list));
    let changes = lists.flat_map(|list| {
        let difference = ListDifference {
            added: Vec::new(),
            removed: vec![entry.clone()],
        };
        update(view, list.clone(), difference, now).1
    });
    Ok(((), changes.collect()))
}

/// Removes a list with all its entries. Returns their number.
pub(crate) fn remove_list(view: &View, id: AccountId, source: &PartnerSource) -> RuleResult<usize> {
    account(view, id)?;
    let list = find_list(view, id, source).ok_or_else(|| Refusal::NoPartnerList {
        account: id,
        list: source.clone(),
    })?;
    let removed = DirectoryChange::Remove(RowKey::List(list.id));
    Ok((view.entries_of(list.id), vec![removed]))
}

/// Begins an import for an account.
pub(crate) fn begin_import(view: &View, id: AccountId) -> Result<(), Refusal> {
    account(view, id).map(drop)
}

/// Ends an import: changes its list, which is made if there is none.
pub(crate) fn finish_import(
    view: &View,
    id: AccountId,
    source: PartnerSource,
    difference: ListDifference,
    now: Millis,
) -> RuleResult<ListChange> {
    account(view, id)?;
    let list = list_of(view, id, source, now);
    Ok(update(view, list, difference, now))
}

/// Adds a feed, or changes its settings and has it fetched again.
pub(crate) fn set_feed(
    view: &View,
    id: AccountId,
    url: &str,
    every: Duration,
    domains: bool,
    now: Millis,
) -> RuleResult<PartnerList> {
    account(view, id)?;
    let mut list = list_of(view, id, PartnerSource::Feed(url.to_owned()), now);
    let before = list.feed.take();
    let (fetched, problem) = before.map_or((None, None), |feed| (feed.fetched, feed.problem));
    list.feed = Some(Feed {
        every_seconds: u32::try_from(every.as_secs()).unwrap_or(u32::MAX),
        domains,
        validator: None,
        tried: None,
        fetched,
        problem,
    });
    let row = DirectoryRow::List(Box::new(list.clone()));
    Ok((list, vec![DirectoryChange::Put(row)]))
}

/// Records an attempt to fetch a feed, with the difference that its new entries make.
pub(crate) fn feed_tried(
    view: &View,
    id: u32,
    fetched: Fetched,
    difference: ListDifference,
    now: Millis,
) -> RuleResult<ListChange> {
    let list = view.partner_list(id);
    let parts = list.and_then(|list| Some((list, list.feed.as_ref()?)));
    let (list, feed) = parts.ok_or_else(|| unknown("feed", id))?;
    let (mut list, mut feed) = (list.clone(), feed.clone());
    feed.tried = Some(now);
    let is_failed = matches!(fetched, Fetched::Failed(_));
    match fetched {
        Fetched::Entries { validator, .. } => {
            (feed.validator, feed.fetched, feed.problem) = (validator, Some(now), None);
        }
        Fetched::Unchanged => (feed.fetched, feed.problem) = (Some(now), None),
        Fetched::Failed(problem) => feed.problem = Some(problem),
    }
    list.feed = Some(feed);
    let put = DirectoryChange::Put(DirectoryRow::List(Box::new(list.clone())));
    let (change, entries) = update(view, list, difference, now);
    let change = match is_failed {
        true => ListChange::default(),
        false => change,
    };
    Ok((change, [vec![put], entries].concat()))
}

/// Returns the list of an account with this source.
pub(crate) fn find_list<'a>(
    view: &'a View,
    id: AccountId,
    source: &PartnerSource,
) -> Option<&'a PartnerList> {
    view.lists_of(id).find(|list| list.source == *source)
}

/// Returns the list of an account with this source, or a new one.
fn list_of(view: &View, id: AccountId, source: PartnerSource, now: Millis) -> PartnerList {
    let found = find_list(view, id, &source).cloned();
    found.unwrap_or_else(|| PartnerList {
        id: view.next_list(),
        account: id,
        source,
        created: now,
        feed: None,
    })
}

/// Changes the entries of a list. Makes the list if it is new, and removes it if it is left without
/// entries and is no feed.
fn update(
    view: &View,
    list: PartnerList,
    difference: ListDifference,
    now: Millis,
) -> (ListChange, Vec<DirectoryChange>) {
    let ListDifference { added, removed } = difference;
    let is_new = view.partner_list(list.id).is_none();
    let change = ListChange {
        added: added.len(),
        removed: removed.len(),
        entries: (view.entries_of(list.id) + added.len()).saturating_sub(removed.len()),
    };
    let id = list.id;
    let is_left_empty = change.entries == 0 && list.feed.is_none();
    let mut changes = Vec::new();
    if is_new && !is_left_empty {
        changes.push(DirectoryChange::Put(DirectoryRow::List(Box::new(list))));
    }
    if !removed.is_empty() {
        let entries = removed;
        changes.push(DirectoryChange::RemoveEntries { list: id, entries });
    }
    if !added.is_empty() {
        changes.push(DirectoryChange::AddEntries {
            list: id,
            entries: added,
            added: now,
        });
    }
    if is_left_empty && !is_new {
        changes.push(DirectoryChange::Remove(RowKey::List(id)));
    }
    (change, changes)
}

fn is_own(view: &View, account: AccountId, entry: &PartnerEntry) -> bool {
    match entry {
        PartnerEntry::Address(address) => {
            matches!(view.recipient(address), Recipient::Of(of) if of.account == account)
        }
        PartnerEntry::Domain(domain) => {
            let of = view.domain(domain.as_ascii());
            of.is_some_and(|of| of.account == account)
        }
    }
}
