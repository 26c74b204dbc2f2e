//! Things of accounts, as programs name them that may see one account only: whether a thing belongs
//! to the account. One that does not is refused in the words for one that does not exist.

use gatepost_directory::{AccountId, ApiToken, Directory};
use gatepost_message::TransactionId;
use gatepost_trace::TraceOwner;

use crate::authorizations;
use crate::code::Code;
use crate::diagnosis::DiagnoseMessage;
use crate::directory::{account_id, change, unknown};
use crate::erasures::TransactionOwner;
use crate::error::OperationError;
use crate::operation::Operation;
use crate::quarantine;
use crate::queue;
use crate::queue::{ResendMessage, ShowQueued};
use crate::runtime::Runtime;
use crate::trace::{self, ShowTrace};

/// Kind of a thing that an account has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnedThing {
    /// Connector, by its id.
    Connector,
    /// Credential, by its user name.
    Credential,
    /// Domain of the account: its native one, or one that it has connected.
    Domain,
    /// List of partner addresses, by its id.
    PartnerList,
    /// Import that has begun, by its id.
    Import,
    /// Authorization of a connection that has begun, by its id.
    Authorization,
}

/// Returns the account that a request names: of an account of the directory its id, of one of the
/// configuration its name.
///
/// # Errors
/// The token is bound to another account: the answer is that for an account that does not exist.
pub fn named_account(
    directory: &Directory,
    token: &ApiToken,
    named: &str,
) -> Result<String, OperationError> {
    let found = account_id(&directory.view(), named);
    match (token.account, found) {
        (None, Ok(id)) => Ok(id.to_string()),
        (None, Err(_)) => Ok(named.to_owned()),
        (Some(bound), Ok(id)) if bound == id => Ok(id.to_string()),
        (Some(_), _) => Err(unknown("account", named).into()),
    }
}

/// Checks that a thing belongs to an account.
///
/// # Errors
/// It does not, there is no such account or thing, or the store cannot be read.
pub async fn check(
    on: &Runtime,
    account: &str,
    thing: OwnedThing,
    named: &str,
) -> Result<(), OperationError> {
    let view = on.directory.view();
    let owner = account_id(&view, account)?;
    let (belongs, what) = match thing {
        OwnedThing::Connector => {
            let found = named.parse().ok().and_then(|id| view.connector(owner, id));
            (found.is_some(), "connector")
        }
        OwnedThing::Credential => {
            let found = view.credential(named);
            let belongs = found.is_some_and(|of| of.credential.account == owner);
            (belongs, "credential")
        }
        OwnedThing::Domain => {
            let found = view.domain(&named.to_ascii_lowercase());
            (found.is_some_and(|of| of.account == owner), "domain")
        }
        OwnedThing::PartnerList => {
            let id = named.parse().ok();
            let mut lists = view.partner_lists();
            let belongs = lists.any(|list| Some(list.id) == id && list.account == owner);
            (belongs, "partner list")
        }
        OwnedThing::Import => {
            let import = serde_json::from_str(named);
            let import = import.map_err(|_| unknown("import", named))?;
            let began = change(&on.directory, move |directory| {
                directory.is_import_of(owner, import)
            });
            if !began.await? {
                return Err(gatepost_directory::Refusal::NoImport.into());
            }
            (true, "import")
        }
        OwnedThing::Authorization => {
            let begun = on.running_authorizations()?;
            let id: Option<u64> = named.parse().ok();
            let of = id.and_then(|id| begun.connection_of(id));
            let of = of.and_then(|key| key.account);
            if of.as_deref() != Some(&*owner.to_string()) {
                return Err(authorizations::replaced());
            }
            (true, "authorization")
        }
    };
    match belongs {
        true => Ok(()),
        false => Err(unknown(what, named).into()),
    }
}

/// Checks that a message belongs to an account: one of the queue or the quarantine by what is stored
/// of it, one that has left by its trace.
///
/// # Errors
/// It does not: the answer is that of the operation for a message that does not exist. Or the store
/// cannot be read.
pub async fn check_message(
    on: &Runtime,
    account: AccountId,
    id: TransactionId,
    operation: &str,
) -> Result<(), OperationError> {
    match is_message_of(on, account, id).await? {
        true => Ok(()),
        false => Err(match operation {
            <ShowTrace as Operation>::NAME | <DiagnoseMessage as Operation>::NAME => {
                trace::unknown(id)
            }
            <ResendMessage as Operation>::NAME => queue::not_kept(id),
            <ShowQueued as Operation>::NAME => queue::unknown(),
            _ => quarantine::unknown(),
        }),
    }
}

async fn is_message_of(
    on: &Runtime,
    account: AccountId,
    id: TransactionId,
) -> Result<bool, OperationError> {
    let stored = match on.queue.show(id).await? {
        None => on.queue.quarantine_show(id).await?,
        queued => queued,
    };
    let stored = match stored {
        None => on.queue.kept_show(id).await?,
        stored => stored,
    };
    if let Some(record) = stored {
        return Ok(record.summary.account == Some(account.to_string()));
    }
    let owner = TransactionOwner::new(on.directory.view(), account);
    let events = trace::show(&on.trace, ShowTrace { id }).await;
    let events = match events {
        Err(error) if error.code == Code::UnknownTransaction => return Ok(false),
        events => events?,
    };
    let mut signs = events.iter().filter_map(|event| owner.of(&event.kind));
    // The first event that shows an owner shows the right one: a submission goes to others.
    let sign = signs.find(|sign| *sign != TraceOwner::PerhapsErased);
    Ok(sign == Some(TraceOwner::Erased))
}
