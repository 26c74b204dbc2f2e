//! Rules of the directory: what may be changed, and what changes with it.
//!
//! A rule is a pure function. From a view and a request it gives a value and the changes to write,
//! or the reason why the change is not allowed. Ids, secrets and the time come with the request.

pub(crate) mod account;
pub(crate) mod address;
pub(crate) mod administrator;
pub(crate) mod agreement;
pub(crate) mod api_token;
pub(crate) mod connection;
pub(crate) mod connector;
pub(crate) mod credential;
pub(crate) mod details;
pub(crate) mod disconnection;
pub(crate) mod dkim;
pub(crate) mod endpoint;
pub(crate) mod erasure;
pub(crate) mod handover;
pub(crate) mod partner;
pub(crate) mod restriction;
pub(crate) mod sandbox;

use std::sync::Arc;

use gatepost_message::Domain;

use crate::{AccountId, DirectoryChange, Refusal, View, view::Holdings};

/// Value for the caller with the changes to write, or the reason why they are not allowed.
pub(crate) type RuleResult<T> = Result<(T, Vec<DirectoryChange>), Refusal>;

/// Returns the refusal for something that does not exist.
pub(crate) fn unknown(what: &'static str, name: impl ToString) -> Refusal {
    let name = name.to_string();
    Refusal::Unknown { what, name }
}

/// Returns an account with all that it owns, unless it is being erased.
fn account(view: &View, id: AccountId) -> Result<&Arc<Holdings>, Refusal> {
    let found = view.holdings(id).ok_or_else(|| unknown("account", id))?;
    match found.account.details.erasing {
        None => Ok(found),
        Some(_) => Err(Refusal::BeingErased(id)),
    }
}

/// Returns a domain as a row has it: in A-labels, whatever its spelling.
fn in_a_labels(domain: &Domain) -> Domain {
    domain.as_ascii().parse().unwrap_or_else(|_| domain.clone())
}
