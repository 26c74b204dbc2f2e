//! Rules of the relay on ways out, which no plan can break.
//!
//! A customer's connection is the customer's own mail service. What leaves through it is mail of
//! that account, in From and in the reverse-path, from addresses that the connection serves. A
//! bounce belongs to nobody, and our native addresses are unknown to the customer's service.
//!
//! What a sandbox sends reaches its test users and its Maildir, and what comes in for it the
//! application.

use gatepost_connections::{FoundConnection, Serves};
use gatepost_directory::{SandboxReach, SandboxSettings, View};
use gatepost_intake::edits::host_rules;
use gatepost_intake::ownership::Ownership;
use gatepost_message::Address;
use gatepost_model::{Destination, Flow, Transaction};
use gatepost_smtp::Reply;
use gatepost_spool::Claim;

/// Returns the settings of the sandbox that a message was submitted by.
pub(super) fn sandbox<'v>(
    directory: &'v View,
    transaction: &Transaction,
) -> Option<&'v SandboxSettings> {
    let is_submission = transaction.session.flow == Flow::Submission;
    let account = transaction.account.as_deref().filter(|_| is_submission)?;
    directory.sandbox(account)
}

/// Refuses to let mail of a sandbox out into the world: what it sends goes to its test users or into
/// its Maildir, and what comes in for it does not leave.
///
/// # Errors
/// The reply for the recipient.
pub(super) fn stays_in_sandbox(
    directory: &View,
    transaction: &Transaction,
    recipient: &Address,
    destination: &Destination,
) -> Result<(), Reply> {
    if let Some(sandbox) = sandbox(directory, transaction) {
        let reaches = match (sandbox.reach(recipient), destination) {
            (SandboxReach::TestUser, _) => true,
            (SandboxReach::Maildir(name), Destination::Maildir(to)) => name == to,
            _ => false,
        };
        return match reaches {
            true => Ok(()),
            false => Err(host_rules::not_in_sandbox(recipient)),
        };
    }
    let comes_in = transaction.session.flow == Flow::Inbound;
    let of_sandbox = |account: &str| directory.sandbox(account).is_some();
    let leaves = matches!(
        destination,
        Destination::Mx { .. } | Destination::Connection { .. }
    );
    match comes_in && leaves && transaction.account.as_deref().is_some_and(of_sandbox) {
        true => {
            let text = "mail for a sandbox goes to the application, and does not leave";
            Err(Reply::new(451, "4.7.1", text))
        }
        false => Ok(()),
    }
}

/// Refuses to let a message leave in a name that is not its account's, by whatever way.
///
/// # Errors
/// A reply that lets it wait, for an operator to mend the policy.
pub(super) fn may_leave_as(
    name: &Address,
    ownership: Ownership<'_>,
    message: &Claim,
) -> Result<(), Reply> {
    let transaction = &message.transaction;
    let refused = |why: String| {
        Err(Reply::new(
            451,
            "4.7.1",
            format!("not sent as {name}: {why}"),
        ))
    };
    if transaction.reverse_path.is_null() {
        return refused("a bounce belongs to no customer".to_owned());
    }
    let account = transaction.account.as_deref();
    match account.is_some_and(|account| ownership.may_send_as(account, name)) {
        true => Ok(()),
        false => refused(format!("{} is no domain of the account", name.domain())),
    }
}

/// Refuses a message that may not leave through a connection of an account.
///
/// # Errors
/// A reply that lets it wait, for an operator to mend the policy.
pub(super) fn may_leave_through(
    found: &FoundConnection,
    ownership: Ownership<'_>,
    message: &Claim,
    send_as: Option<&Address>,
) -> Result<(), Reply> {
    let Some(owner) = found.key.account.as_deref() else {
        return Ok(());
    };
    let transaction = &message.transaction;
    let refused = |why: String| {
        let name = &found.connection.name;
        Err(Reply::new(
            451,
            "4.7.1",
            format!("not sent through the connection {name}: {why}"),
        ))
    };
    if transaction.account.as_deref() != Some(owner) {
        return refused("it is another account's".to_owned());
    }
    let Some(sender) = send_as.or(transaction.reverse_path.address()) else {
        return refused("a bounce belongs to no customer".to_owned());
    };
    let authors = match send_as {
        Some(author) => vec![author.clone()],
        None => match host_rules::authors(&message.message) {
            Ok(authors) => authors,
            Err(why) => return refused(format!("its author cannot be read: {why}")),
        },
    };
    for address in std::iter::once(sender).chain(&authors) {
        if !ownership.may_send_as(owner, address) {
            return refused(format!("{} is no domain of the account", address.domain()));
        }
        if ownership.is_native(address) {
            return refused(format!("{} is a domain of this relay", address.domain()));
        }
        if !serves_domain(found, address) {
            return refused(format!("it does not serve {}", address.domain()));
        }
    }
    Ok(())
}

/// Returns true if mail of an address's domain may leave through a connection: the domain is named
/// in what it serves, or only brands are, or nothing.
fn serves_domain(found: &FoundConnection, address: &Address) -> bool {
    let mut limited = false;
    for one in &found.connection.serves {
        let same = match one {
            Serves::Domain(domain) => domain.matches(address.domain()),
            Serves::Address(served) => served.domain().eq_ignore_ascii_case(address.domain()),
            Serves::Brand(_) => return true,
        };
        if same {
            return true;
        }
        limited = true;
    }
    !limited
}
