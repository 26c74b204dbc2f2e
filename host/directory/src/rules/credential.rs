//! Rules of credentials.

use std::{collections::HashMap, time::Duration};

use gatepost_message::Millis;

use super::{RuleResult, account, connector, handover, restriction, unknown};
use crate::{
    AuditEntry, ConnectorKind, Credential, CredentialDetails, CredentialEnd, DirectoryChange,
    DirectoryRow, EndedBy, GraceUses, Grant, Limits, Refusal, Rotation, RowKey, Scope, Sealed,
    SealedCredential, UserName, View,
    uses::{CredentialUse, PendingGrace},
};

/// Credential that is asked for.
#[derive(Debug)]
pub(crate) struct NewCredential {
    pub(crate) user_name: UserName,
    pub(crate) grant: Grant,
    /// True if it gets the alias of the account.
    pub(crate) with_alias: bool,
    /// Credential that it is to take the place of.
    pub(crate) replaces: Option<UserName>,
    pub(crate) verifier: Sealed,
    pub(crate) created: Millis,
}

/// Issues a credential.
pub(crate) fn issue(view: &View, limits: &Limits, new: NewCredential) -> RuleResult<Credential> {
    let (id, scope) = match new.grant {
        Grant::Submission { account } => (account, Scope::Submission),
        Grant::Inbound { connector: id } => {
            let claim = &connector::find(view, id)?.claim;
            if claim.kind != ConnectorKind::TwoWay {
                return Err(Refusal::NotTwoWay(id));
            }
            let scope = Scope::Inbound {
                connector: id,
                domain: claim.domain.clone(),
            };
            (claim.account, scope)
        }
    };
    let holdings = account(view, id)?;
    if let Some(former) = &new.replaces {
        // It may have ended since the request began.
        grant_of(view, former)?;
        let of = |rotation: &Rotation| rotation.former == *former || rotation.next == *former;
        if let Some(Rotation { former, next, .. }) = view.rotations().find(of) {
            return Err(Refusal::RotationUnderWay { former, next });
        }
    }
    let limit = limits.live_sets;
    if holdings.live_credentials(scope.connector()) >= limit {
        return Err(Refusal::TooManyCredentials { limit });
    }
    let alias = match new.with_alias {
        true => {
            let native = &holdings.account.profile.native_domain;
            let alias = Credential::alias_in(native);
            let alias = alias.ok_or_else(|| Refusal::NoAlias(native.clone()))?;
            if let Some(holder) = &holdings.live_alias {
                let holder = holder.clone();
                return Err(Refusal::AliasTaken { alias, holder });
            }
            Some(alias)
        }
        false => None,
    };
    let credential = Credential {
        user_name: new.user_name,
        account: id,
        scope,
        alias,
        created: new.created,
        last_used: None,
        last_network: None,
        ended: None,
        details: CredentialDetails {
            replaces: new.replaces,
            reminded: None,
            grace_uses: None,
        },
    };
    Ok((credential.clone(), vec![put(credential, new.verifier)]))
}

/// Returns what a new credential in the place of a live one is to be good for.
pub(crate) fn grant_of(view: &View, user: &UserName) -> Result<Grant, Refusal> {
    let credential = listed(view, user)?.credential;
    if credential.ended.is_some() {
        return Err(Refusal::CredentialEnded(user.clone()));
    }
    Ok(match credential.scope {
        Scope::Inbound { connector, .. } => Grant::Inbound { connector },
        Scope::Submission => Grant::Submission {
            account: credential.account,
        },
    })
}

/// End that is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CredentialEnding {
    Cancel,
    Retire {
        /// Time for which it must not have been used.
        unused: Option<Duration>,
    },
}

/// Ends the use of a credential. One that has ended keeps the time, unless it is cancelled now. A
/// live credential that was to take its place has its alias from now on.
pub(crate) fn end(
    view: &View,
    user: &UserName,
    ending: CredentialEnding,
    now: Millis,
) -> RuleResult<Credential> {
    let sealed = listed(view, user)?;
    let how = match (ending, sealed.credential.ended) {
        (CredentialEnding::Cancel, Some(end)) if end.how == EndedBy::Cancelled => {
            return Ok((sealed.credential, Vec::new()));
        }
        (CredentialEnding::Cancel, _) => EndedBy::Cancelled,
        (CredentialEnding::Retire { .. }, Some(_)) => return Ok((sealed.credential, Vec::new())),
        (CredentialEnding::Retire { unused }, None) => {
            let used = sealed.credential.last_used;
            let lately = used
                .zip(unused)
                .filter(|(used, unused)| now < *used + *unused);
            if let Some((last_used, _)) = lately {
                let user = user.clone();
                return Err(Refusal::CredentialInUse { user, last_used });
            }
            EndedBy::Retired
        }
    };
    Ok(ended(view, sealed, CredentialEnd { at: now, how }))
}

/// Takes a credential out of all lists. One that was cancelled is deleted, any other is kept for its
/// grace period.
pub(crate) fn remove(view: &View, user: &UserName, now: Millis) -> RuleResult<()> {
    let sealed = listed(view, user)?;
    let account = sealed.credential.account.to_string();
    let at = match sealed.credential.ended {
        Some(end) if end.how == EndedBy::Cancelled => None,
        end => Some(end.map_or(now, |end| end.at)),
    };
    let mut changes = match at {
        // Its links went when it was cancelled.
        None => vec![DirectoryChange::Remove(RowKey::Credential(user.clone()))],
        Some(at) => {
            let how = EndedBy::Removed;
            ended(view, sealed, CredentialEnd { at, how }).1
        }
    };
    changes.extend(restriction::without_credential(view, &account, user));
    Ok(((), changes))
}

/// Deletes the removed credentials whose grace period is over.
pub(crate) fn forget(view: &View, grace: Duration, now: Millis) -> ((), Vec<DirectoryChange>) {
    let all = view
        .credentials()
        .into_iter()
        .map(|known| &known.credential);
    let over =
        all.filter(|of| of.is_removed() && of.ended.is_some_and(|end| end.at + grace <= now));
    let keys = over.map(|of| RowKey::Credential(of.user_name.clone()));
    ((), keys.map(DirectoryChange::Remove).collect())
}

/// Returns the rotations of which it is time to remind, and notes that it is done.
pub(crate) fn remind(view: &View, after: Duration, now: Millis) -> RuleResult<Vec<Rotation>> {
    let (mut due, mut changes) = (Vec::new(), Vec::new());
    for rotation in view.rotations() {
        let mut sealed = find(view, &rotation.next)?;
        let details = &mut sealed.credential.details;
        if details.reminded.unwrap_or(rotation.since) + after <= now {
            details.reminded = Some(now);
            changes.push(put(sealed.credential, sealed.verifier));
            due.push(rotation);
        }
    }
    due.sort_by_key(|rotation| rotation.since);
    Ok((due, changes))
}

/// Ends a credential, and gives its alias to the one that was to take its place.
fn ended(
    view: &View,
    mut sealed: SealedCredential,
    end: CredentialEnd,
) -> (Credential, Vec<DirectoryChange>) {
    let was_live = sealed.credential.ended.replace(end).is_none();
    let credential = sealed.credential.clone();
    let mut changes = vec![put(sealed.credential, sealed.verifier)];
    changes.extend(handover::take_back(view, &credential.user_name));
    let next = view
        .rotations()
        .find(|rotation| was_live && rotation.former == credential.user_name);
    let next = next.and_then(|rotation| view.sealed_credential(&rotation.next));
    if let (Some(alias), Some(mut next)) = (&credential.alias, next) {
        next.credential.alias = Some(alias.clone());
        changes.push(put(next.credential, next.verifier));
    }
    (credential, changes)
}

/// Records when credentials were used last, and their uses in their grace periods. Those that are
/// gone are left out.
pub(crate) fn record_uses(
    view: &View,
    uses: &HashMap<UserName, CredentialUse>,
    in_grace: &HashMap<UserName, PendingGrace>,
) -> Vec<DirectoryChange> {
    // One may have been used before its end, and after it.
    let later = in_grace.keys().filter(|user| !uses.contains_key(*user));
    let changed = uses.keys().chain(later).filter_map(|user| {
        let mut sealed = find(view, user).ok()?;
        let before = sealed.credential.clone();
        let credential = &mut sealed.credential;
        if let Some(used) = uses
            .get(user)
            .filter(|used| credential.last_used < Some(used.at))
        {
            credential.last_used = Some(used.at);
            credential.last_network = used.network;
        }
        if let Some(new) = in_grace.get(user) {
            credential.details.grace_uses = Some(added(credential.details.grace_uses, new));
        }
        (sealed.credential != before).then(|| put(sealed.credential, sealed.verifier))
    });
    changed.collect()
}

fn added(before: Option<GraceUses>, new: &PendingGrace) -> GraceUses {
    GraceUses {
        count: before.map_or(0, |of| of.count).saturating_add(new.count),
        first: before.map_or(new.first, |of| of.first),
        last: new.last.at,
        network: new.last.network,
        told: before.and_then(|of| of.told),
        told_count: before.map_or(0, |of| of.told_count),
    }
}

/// Notes that the account is told of the uses of a credential in its grace period, with the entry of
/// the audit log that is made of the credential and the number of uses since it was told last.
/// Returns what was made; `None` if it was told lately.
pub(crate) fn tell_of_grace(
    view: &View,
    user: &UserName,
    now: Millis,
    entry: impl FnOnce(&Credential, u64) -> AuditEntry,
) -> RuleResult<Option<AuditEntry>> {
    let mut sealed = find(view, user)?;
    let details = &mut sealed.credential.details;
    let Some(uses) = details
        .grace_uses
        .as_mut()
        .filter(|of| of.is_to_be_told(now))
    else {
        return Ok((None, Vec::new()));
    };
    let new = uses.count.saturating_sub(uses.told_count);
    (uses.told, uses.told_count) = (Some(now), uses.count);
    let entry = entry(&sealed.credential, new);
    let changes = vec![
        put(sealed.credential, sealed.verifier),
        DirectoryChange::Audit(entry.clone()),
    ];
    Ok((Some(entry), changes))
}

/// Replaces the encrypted verifier of a credential.
pub(crate) fn reseal(view: &View, user: &UserName, verifier: Sealed) -> RuleResult<()> {
    let sealed = find(view, user)?;
    Ok(((), vec![put(sealed.credential, verifier)]))
}

/// Finds a credential that is not removed.
pub(crate) fn listed(view: &View, user: &UserName) -> Result<SealedCredential, Refusal> {
    let found = find(view, user)?;
    match found.credential.is_removed() {
        true => Err(unknown("credential", user)),
        false => Ok(found),
    }
}

pub(crate) fn find(view: &View, user: &UserName) -> Result<SealedCredential, Refusal> {
    let sealed = view.sealed_credential(user);
    sealed.ok_or_else(|| unknown("credential", user))
}

pub(super) fn put(credential: Credential, verifier: Sealed) -> DirectoryChange {
    DirectoryChange::Put(DirectoryRow::Credential(Box::new(SealedCredential {
        credential,
        verifier,
    })))
}
