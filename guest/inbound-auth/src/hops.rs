//! A message that was forwarded more than once, and who has asked then.
//!
//! Forwarding leaves the author in From, as long as it is done once and well. Where several servers
//! forward in turn, some rewrite From; who has asked is then told by other fields.

use std::collections::BTreeSet;

use gatepost_sdk::{Decision, Message, Transaction, bounds, is_support_address, partner};

use crate::{Settings, mailbox};

/// Tags a message whose trace shows more than one forwarding, and says who its requester is.
pub fn note(
    settings: &Settings,
    transaction: &Transaction,
    message: &dyn Message,
    decision: &mut Decision,
) {
    let way = forwarded_for(transaction, message);
    if way.len() < 2 {
        return;
    }
    decision.tag("multi-hop");
    decision.reason(format!(
        "forwarded more than once: for {}",
        way.join(", then ")
    ));
    let fields = settings.requester_from.iter();
    let mut named = fields.flat_map(|name| {
        let fields = message.headers_named(name).into_iter();
        fields.flat_map(|field| mailbox::addresses(&field))
    });
    let usable = |address: &String| {
        address.bytes().all(|octet| octet.is_ascii_graphic())
            && !is_support_address(address)
            && partner(address).is_none()
    };
    if let Some(requester) = named.find(usable) {
        decision.set_header(settings.requester_header.clone(), format!("<{requester}>"));
    }
}

/// The addresses, other than the message's recipients, for which servers on its way took it: from
/// the first to the last, each once.
///
/// They stand in the `for` clauses of Received (RFC 5321 section 4.4), newest on top, and in
/// Delivered-To (RFC 9228) and X-Forwarded-To, which forwarders add.
pub fn forwarded_for(transaction: &Transaction, message: &dyn Message) -> Vec<String> {
    let received = message.headers_named("Received");
    let delivered = message.headers_named("Delivered-To");
    let forwarded = message.headers_named("X-Forwarded-To");
    let clauses = received.iter().rev().filter_map(|field| for_clause(field));
    let others = (delivered.iter().rev())
        .chain(forwarded.iter().rev())
        .flat_map(|field| mailbox::addresses(field));
    let ours = transaction.recipients.iter().map(|to| to.to_lowercase());
    let mut before: BTreeSet<String> = ours.collect();
    let mut way: Vec<String> = Vec::new();
    for address in clauses.chain(others).take(bounds::ADDRESSES) {
        let address = address.to_lowercase();
        if before.insert(address.clone()) {
            way.push(address);
        }
    }
    way
}

/// The one address of a `for` clause.
fn for_clause(received: &str) -> Option<String> {
    let stamp = received
        .rsplit_once(';')
        .map_or(received, |(before, _)| before);
    let mut words = stamp.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("for"))?;
    let path = words.next()?;
    mailbox::addresses(path).into_iter().next()
}
