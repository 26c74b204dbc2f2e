//! Rules of credentials.

use std::collections::HashMap;

use gatepost_message::Millis;

use super::{RuleResult, account, connector, handover, restriction, unknown};
use crate::{
    ConnectorKind, Credential, CredentialDetails, DirectoryChange, DirectoryRow, Grant, Limits,
    Refusal, RowKey, Scope, Sealed, SealedCredential, UserName, View, uses::CredentialUse,
};

/// Credential that is asked for.
#[derive(Debug)]
pub(crate) struct NewCredential {
    pub(crate) user_name: UserName,
    pub(crate) grant: Grant,
    /// True if it gets the alias of the account.
    pub(crate) with_alias: bool,
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
        revoked: None,
        details: CredentialDetails::default(),
    };
    Ok((credential.clone(), vec![put(credential, new.verifier)]))
}

/// Revokes a credential, and takes back the links to its secret. One that was revoked before keeps
/// that time.
pub(crate) fn revoke(view: &View, user: &UserName, now: Millis) -> RuleResult<()> {
    let mut sealed = find(view, user)?;
    sealed.credential.revoked.get_or_insert(now);
    let mut changes = vec![put(sealed.credential, sealed.verifier)];
    changes.extend(handover::take_back(view, user));
    Ok(((), changes))
}

/// Deletes a credential, live or revoked, with the links to its secret.
pub(crate) fn remove(view: &View, user: &UserName) -> RuleResult<()> {
    let account = find(view, user)?.credential.account.to_string();
    let key = RowKey::Credential(user.clone());
    let mut changes = vec![DirectoryChange::Remove(key)];
    changes.extend(restriction::without_credential(view, &account, user));
    changes.extend(handover::take_back(view, user));
    Ok(((), changes))
}

/// Records when credentials were used last. Those that are gone are left out.
pub(crate) fn record_uses(
    view: &View,
    uses: &HashMap<UserName, CredentialUse>,
) -> Vec<DirectoryChange> {
    let changed = uses.iter().filter_map(|(user, used)| {
        let mut sealed = find(view, user).ok()?;
        let later = sealed.credential.last_used < Some(used.at);
        sealed.credential.last_used = Some(used.at);
        sealed.credential.last_network = used.network;
        later.then(|| put(sealed.credential, sealed.verifier))
    });
    changed.collect()
}

/// Replaces the encrypted verifier of a credential.
pub(crate) fn reseal(view: &View, user: &UserName, verifier: Sealed) -> RuleResult<()> {
    let sealed = find(view, user)?;
    Ok(((), vec![put(sealed.credential, verifier)]))
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
