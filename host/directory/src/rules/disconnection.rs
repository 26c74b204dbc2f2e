//! Rules of the disconnection of single addresses.

use gatepost_message::{Address, Millis};

use super::{RuleResult, details};
use crate::{AccountId, Disconnection, QueuedMail, Refusal, SupportAddress, View};

/// Disconnects an address in a connected domain. One that is disconnected already keeps the time.
pub(crate) fn disconnect(
    view: &View,
    account: AccountId,
    address: &Address,
    queued: QueuedMail,
    now: Millis,
) -> RuleResult<SupportAddress> {
    let (changed, changes) = details::of_address(view, account, address, |details| {
        let at = details.disconnected.map_or(now, |before| before.at);
        details.disconnected = Some(Disconnection { at, queued });
    })?;
    match changed.connector {
        Some(_) => Ok((changed, changes)),
        None => Err(Refusal::NotConnected(address.clone())),
    }
}
