//! Rules of DKIM keys.
//!
//! A key signs only while its record is seen: a message that was signed before fails wherever it is
//! verified. Of the keys of one owner, domain and algorithm one signs. The next one is made beside
//! it, and takes over at the moment in which its own record is seen.

use gatepost_dkim::{Algorithm, Seen, Selector};
use gatepost_message::{Domain, Millis};

use super::{RuleResult, account, in_a_labels};
use crate::{
    DirectoryChange, DirectoryRow, DkimKey, DkimKeyName, DkimState, KeyOwner, Refusal, RowKey,
    Sealed, SealedDkimKey, View, view::DkimEntry,
};

/// Most characters of a finding.
const FINDING: usize = 200;

/// Key that is asked for.
#[derive(Debug)]
pub(crate) struct NewDkimKey {
    pub(crate) key: DkimKey,
    pub(crate) sealed: Sealed,
}

/// Returns the selector of the next key of a domain: the first of the two that is free.
pub(crate) fn free_selector(
    view: &View,
    (owner, domain): (KeyOwner, &Domain),
    algorithm: Algorithm,
    turns: &[Selector; 2],
    now: Millis,
) -> Result<Selector, Refusal> {
    may_have(view, owner, domain)?;
    let of_domain = || {
        let keys = view.dkim_keys(owner).filter(|key| key.domain == *domain);
        keys.filter(|key| !key.has_rested(now))
    };
    let alike = || of_domain().filter(|key| key.algorithm == algorithm);
    if let Some(next) = alike().find(|key| key.state == DkimState::Pending) {
        return Err(Refusal::DkimKeyWaits {
            domain: domain.clone(),
            selector: next.selector.clone(),
        });
    }
    let is_free = |selector: &&Selector| !of_domain().any(|key| key.selector == **selector);
    let free = turns.iter().find(is_free);
    free.filter(|_| alike().count() < turns.len())
        .cloned()
        .ok_or_else(|| Refusal::DkimSelectorsTaken {
            domain: domain.clone(),
            algorithm,
        })
}

/// Adds a key, pending.
pub(crate) fn add(view: &View, new: NewDkimKey) -> RuleResult<DkimKey> {
    let NewDkimKey { mut key, sealed } = new;
    may_have(view, key.owner, &key.domain)?;
    key.domain = in_a_labels(&key.domain);
    let row = put(key.clone(), Some(sealed));
    Ok((key, vec![row]))
}

/// Changes the state of a key after a look in the DNS, and returns it as it is then. When its
/// record is seen, the key takes over from the one that signed.
pub(crate) fn looked(
    view: &View,
    name: &DkimKeyName,
    seen: &Seen,
    now: Millis,
) -> RuleResult<DkimKey> {
    let entry = find(view, name)?;
    let mut key = entry.key.clone();
    if key.state == DkimState::Retired {
        return Ok((key, Vec::new()));
    }
    let finding = match seen {
        Seen::Published => None,
        Seen::Unusable(why) => Some((*why).to_owned()),
        Seen::Unanswered(why) => {
            let why: String = why.chars().take(FINDING).collect();
            Some(format!("the DNS gave no answer: {why}"))
        }
    };
    let state = match (seen, key.state) {
        (Seen::Published, _) => DkimState::Active,
        (Seen::Unusable(_), DkimState::Active) => DkimState::Lost,
        (_, state) => state,
    };
    if (state, &finding) == (key.state, &key.finding) {
        return Ok((key, Vec::new()));
    }
    let mut changes = Vec::new();
    if state != key.state {
        key.since = now;
    }
    if state == DkimState::Active && key.state != DkimState::Active {
        let others = view.dkim_entries(key.owner).iter().filter(|other| {
            let is_earlier = other.key.created < key.created;
            let is_used = matches!(other.key.state, DkimState::Active | DkimState::Lost);
            other.key.name() != *name && other.key.stands_in_for(&key) && is_earlier && is_used
        });
        changes.extend(others.map(|other| retired(&other.key, now)));
    }
    (key.state, key.finding) = (state, finding);
    changes.push(put(key.clone(), entry.sealed.clone()));
    Ok((key, changes))
}

/// Retires a key: it signs no more. One that never signed is removed.
pub(crate) fn retire(view: &View, name: &DkimKeyName, now: Millis) -> RuleResult<DkimKey> {
    let mut key = find(view, name)?.key.clone();
    let changes = match key.state {
        DkimState::Retired => Vec::new(),
        DkimState::Pending => vec![DirectoryChange::Remove(RowKey::DkimKey(name.clone()))],
        DkimState::Active | DkimState::Lost => vec![retired(&key, now)],
    };
    if key.state != DkimState::Retired {
        (key.state, key.since, key.finding) = (DkimState::Retired, now, None);
    }
    Ok((key, changes))
}

/// Removes the keys that were retired long ago, whose records nobody needs any more.
pub(crate) fn remove_rested(view: &View, now: Millis) -> RuleResult<()> {
    let rested = view.all_dkim_keys().filter(|key| key.has_rested(now));
    let changes = rested.map(|key| DirectoryChange::Remove(RowKey::DkimKey(key.name())));
    Ok(((), changes.collect()))
}

/// Replaces the encrypted form of a private half.
pub(crate) fn reseal(view: &View, name: &DkimKeyName, sealed: Sealed) -> RuleResult<()> {
    let key = find(view, name)?.key.clone();
    Ok(((), vec![put(key, Some(sealed))]))
}

/// Returns true if an owner has a key of a domain that may sign again. Retired ones go by
/// themselves.
pub(crate) fn has_keys(view: &View, owner: KeyOwner, domain: &Domain) -> bool {
    let mut entries = view.dkim_entries(owner).iter();
    entries.any(|entry| entry.key.domain == *domain && entry.may_sign())
}

/// Checks that a domain is one that its owner signs for: of an account one that it has connected,
/// of the site one that no account has.
fn may_have(view: &View, owner: KeyOwner, domain: &Domain) -> Result<(), Refusal> {
    let KeyOwner::Account(id) = owner else {
        let of = view.domain(domain.as_ascii());
        return match of.filter(|of| of.connector.is_some()) {
            None => Ok(()),
            Some(of) => Err(Refusal::DomainTaken {
                domain: domain.clone(),
                owner: of.account,
            }),
        };
    };
    let mut connectors = account(view, id)?.connectors.iter();
    match connectors.any(|connector| connector.claim.domain == *domain) {
        true => Ok(()),
        false => Err(Refusal::ForeignDomain {
            domain: domain.clone(),
            account: id,
        }),
    }
}

fn find<'a>(view: &'a View, name: &DkimKeyName) -> Result<&'a DkimEntry, Refusal> {
    let mut entries = view.dkim_entries(name.owner).iter();
    let found = entries.find(|entry| entry.key.name() == *name);
    found.ok_or_else(|| Refusal::NoDkimKey {
        domain: name.domain.to_string(),
        selector: name.selector.clone(),
    })
}

fn retired(key: &DkimKey, now: Millis) -> DirectoryChange {
    let key = DkimKey {
        state: DkimState::Retired,
        since: now,
        finding: None,
        ..key.clone()
    };
    put(key, None)
}

fn put(key: DkimKey, sealed: Option<Sealed>) -> DirectoryChange {
    DirectoryChange::Put(DirectoryRow::DkimKey(Box::new(SealedDkimKey {
        key,
        sealed,
    })))
}
