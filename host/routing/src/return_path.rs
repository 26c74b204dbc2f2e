//! The return path with which a message leaves.

use gatepost_intake::ownership::Ownership;
use gatepost_message::Address;
use gatepost_model::Destination;
use gatepost_spool::Claim;

/// Returns the address to which reports on a message come back, if the destination gets one.
///
/// Only the servers of a domain do. A mail service lets nobody send in a name that is not the
/// customer's, and reports on what goes to a server of the site's own are the sender's.
pub(crate) fn return_path(
    ownership: Ownership<'_>,
    message: &Claim,
    destination: &Destination,
    send_as: Option<&Address>,
) -> Option<Address> {
    let Destination::Mx { .. } = destination else {
        return None;
    };
    let transaction = &message.transaction;
    let sender = send_as.or(transaction.reverse_path.address())?;
    ownership.return_path(transaction, sender)
}
