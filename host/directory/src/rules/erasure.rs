//! Rules of the erasure of an account: it begins, what the account owns is removed some at a time, and
//! the account goes last.

use std::sync::Arc;

use gatepost_message::Millis;

use super::unknown;
use crate::{
    Account, AccountId, DirectoryChange, DirectoryRow, ErasedItems, PartnerEntry, Refusal, RowKey,
    View,
};

/// Rows that are removed in one commit.
pub(crate) const REMOVED_AT_ONCE: usize = 200;

/// Marks an account that is to be erased: from now on it has no mail, no log-in and no new rows.
pub(crate) fn begin(
    view: &View,
    id: AccountId,
    now: Millis,
) -> Result<(Account, Vec<DirectoryChange>), Refusal> {
    let found = view.account(id).ok_or_else(|| unknown("account", id))?;
    let mut account = found.clone();
    account.details.erasing.get_or_insert(now);
    let row = DirectoryRow::Account(Arc::new(account.clone()));
    Ok((account, vec![DirectoryChange::Put(row)]))
}

/// Removes some of what an account owns; `entries` gives some of a list of partners. Returns nothing
/// if it owns nothing any more.
pub(crate) fn remove_some<E: From<Refusal>>(
    view: &View,
    id: AccountId,
    mut entries: impl FnMut(u32) -> Result<Vec<PartnerEntry>, E>,
) -> Result<(ErasedItems, Vec<DirectoryChange>), E> {
    let holdings = view.holdings(id).ok_or_else(|| unknown("account", id))?;
    let mut erased = ErasedItems::default();
    if let Some(list) = holdings.lists().first().copied() {
        let some = entries(list)?;
        return Ok(match some.is_empty() {
            true => (erased, vec![DirectoryChange::Remove(RowKey::List(list))]),
            false => {
                erased.partners = some.len() as u64;
                let entries = some;
                (
                    erased,
                    vec![DirectoryChange::RemoveEntries { list, entries }],
                )
            }
        });
    }
    // What others refer to comes last.
    let keys: Vec<_> = holdings.everything().take(REMOVED_AT_ONCE).collect();
    for key in &keys {
        erased.count(key);
    }
    let changes = keys.into_iter().map(DirectoryChange::Remove).collect();
    Ok((erased, changes))
}

/// Removes the account itself, of which nothing else is left.
pub(crate) fn finish(view: &View, id: AccountId) -> Result<((), Vec<DirectoryChange>), Refusal> {
    view.account(id).ok_or_else(|| unknown("account", id))?;
    let rows = [RowKey::Restriction(id.to_string()), RowKey::Account(id)];
    Ok(((), rows.into_iter().map(DirectoryChange::Remove).collect()))
}

/// Returns the names by which entries of the audit log tell of an account, in lower case: its id, its
/// domains and connectors, and the user names of its credentials.
pub(crate) fn names(view: &View, id: AccountId) -> Vec<String> {
    let Some(account) = view.account(id) else {
        return vec![id.to_string()];
    };
    let mut names = vec![
        id.to_string(),
        account.profile.native_domain.as_ascii().to_owned(),
        account.profile.native_domain.to_string(),
    ];
    for connector in view.connectors(id) {
        let domain = &connector.claim.domain;
        names.extend([
            connector.id.to_string(),
            domain.as_ascii().to_owned(),
            domain.to_string(),
        ]);
    }
    let credentials = view.credentials_of(id).into_iter();
    names.extend(credentials.map(|of| of.user_name.to_string()));
    names
        .iter_mut()
        .for_each(|name| name.make_ascii_lowercase());
    names.sort_unstable();
    names.dedup();
    names
}
