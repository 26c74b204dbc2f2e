//! Conditions of a route, on one message and one of its recipients.

use gatepost_sdk::{Transaction, queued};

use crate::settings::{MailDirection, Route};

/// Milliseconds of an hour.
const HOUR: u64 = 3_600_000;

/// One recipient of a message; addresses in lower case.
pub(crate) struct Mail<'a> {
    direction: MailDirection,
    sender: String,
    recipient: String,
    account: Option<&'a str>,
}

impl<'a> Mail<'a> {
    /// Returns the mail, unless its reverse-path is null.
    pub(crate) fn of(
        direction: MailDirection,
        transaction: &'a Transaction,
        recipient: &str,
    ) -> Option<Self> {
        transaction.mail_from.contains('@').then(|| Self {
            direction,
            sender: transaction.mail_from.to_lowercase(),
            recipient: recipient.to_lowercase(),
            account: transaction.account.as_deref(),
        })
    }

    /// Returns the domain of the reverse-path.
    pub(crate) fn sender_domain(&self) -> &str {
        domain(&self.sender)
    }

    /// Returns true if all conditions of a route hold. The queue is asked last.
    pub(crate) fn fits(&self, route: &Route) -> bool {
        let domain = route.domain.as_deref();
        let of_account = |account: &str| route.accounts.iter().any(|known| known == account);
        route.direction == self.direction
            && domain.is_none_or(|domain| domain == self.sender_domain())
            && is_listed(&route.senders, &self.sender)
            && is_listed(&route.recipients, &self.recipient)
            && (route.accounts.is_empty() || self.account.is_some_and(of_account))
            && has_class(route)
            && has_tag(route)
            && is_time(route)
    }
}

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn has_class(route: &Route) -> bool {
    let class = || queued::class().is_some_and(|class| route.classes.contains(&class));
    route.classes.is_empty() || class()
}

fn has_tag(route: &Route) -> bool {
    let tag = || queued::tags().iter().any(|tag| route.tags.contains(tag));
    route.tags.is_empty() || tag()
}

fn is_time(route: &Route) -> bool {
    let hour = || u8::try_from(queued::attempt_time() / HOUR % 24).unwrap_or_default();
    route.hours.is_none_or(|hours| hours.contain(hour()))
}

/// Returns true if an address or its domain is in a list, or nothing is.
fn is_listed(list: &[String], address: &str) -> bool {
    let same = |known: &String| known == address || known == domain(address);
    list.is_empty() || list.iter().any(same)
}
