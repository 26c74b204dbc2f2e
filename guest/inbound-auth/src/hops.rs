//! A message that was forwarded more than once, and who has asked then.
//!
//! Forwarding leaves the author in From, as long as it is done once and well. Where several servers
//! forward in turn, some rewrite From; who has asked is then told by other fields.

use std::collections::HashSet;

use gatepost_sdk::{Decision, Message, Transaction, is_support_address, partner};

use crate::{Settings, mailbox};

/// The most fields of one name that are read, the newest.
const FIELDS: usize = 100;
/// The most addresses that are looked at.
const NAMED: usize = 100;
/// The most of them that are told of.
const TOLD: usize = 10;
/// How much of a Received field is read: no line is longer (RFC 5322 section 2.1.1), and few have
/// more than three.
const CLAUSES: usize = 4096;
/// Octets of all Received fields that are read; a hundred of them have some fifty thousand.
const TRACE: usize = 64 << 10;
/// Octets that are read of all fields of a name in which there are addresses.
const ADDRESSES: usize = 16 << 10;
/// The most octets of an address (RFC 5321 section 4.5.3.1.3).
const LONGEST: usize = 254;

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
    decision.reason(told(&way));
    let fields = settings.requester_from.iter();
    let named = fields.flat_map(|name| {
        let fields = message.section().uppermost(name, FIELDS, ADDRESSES);
        (fields.into_iter()).flat_map(|field| mailbox::addresses(&field))
    });
    let mut named = named.take(NAMED);
    let usable = |address: &String| {
        address.len() <= LONGEST
            && address.bytes().all(|octet| octet.is_ascii_graphic())
            && !is_support_address(address)
            && partner(address).is_none()
    };
    if let Some(requester) = named.find(usable) {
        decision.set_header(settings.requester_header.clone(), format!("<{requester}>"));
    }
}

/// The way in a sentence; of a long one, where it began.
fn told(way: &[String]) -> String {
    let begin = way.get(..TOLD).unwrap_or(way);
    let mut told = format!("forwarded more than once: for {}", begin.join(", then "));
    if way.len() > begin.len() {
        told.push_str(&format!(" and {} others", way.len() - begin.len()));
    }
    told
}

/// The addresses, other than the message's recipients, for which servers on its way took it: from
/// the first to the last, each once.
///
/// They stand in the `for` clauses of Received (RFC 5321 section 4.4), newest on top, and in
/// Delivered-To (RFC 9228) and X-Forwarded-To, which forwarders add. Of a trace that never ends the
/// newest part is read: it takes time in proportion to its length, and no more than is told.
pub fn forwarded_for(transaction: &Transaction, message: &dyn Message) -> Vec<String> {
    let section = message.section();
    let received = section.uppermost("Received", FIELDS, TRACE);
    let delivered = section.uppermost("Delivered-To", FIELDS, ADDRESSES);
    let forwarded = section.uppermost("X-Forwarded-To", FIELDS, ADDRESSES);
    let clauses = received.iter().rev();
    let clauses = clauses.filter_map(|field| for_clause(field));
    let others = (delivered.iter().rev())
        .chain(forwarded.iter().rev())
        .flat_map(|field| mailbox::addresses(field));
    let ours = transaction.recipients.iter().map(|to| to.to_lowercase());
    let mut before: HashSet<String> = ours.collect();
    let mut way: Vec<String> = Vec::new();
    for address in clauses.chain(others) {
        let address = address.to_lowercase();
        if address.len() <= LONGEST && before.insert(address.clone()) {
            way.push(address);
            if way.len() >= NAMED {
                break;
            }
        }
    }
    way
}

/// The one address of a `for` clause.
fn for_clause(received: &str) -> Option<String> {
    let received = &received[..received.floor_char_boundary(CLAUSES)];
    let stamp = received
        .rsplit_once(';')
        .map_or(received, |(before, _)| before);
    let mut words = stamp.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("for"))?;
    let path = words.next()?;
    mailbox::addresses(path).into_iter().next()
}
