//! Detection of mail that was forwarded more than once, and of its requester.
//!
//! A single forwarding usually leaves the author in From. If several servers forward in turn, some
//! rewrite From; other fields then name the requester.
//!
//! A [`Trace`] holds what the message's fields say about its way. One forwarding leaves several
//! addresses in it: an alias, the mailbox behind it, a sub-address, a provider's internal name for
//! the domain. So forwardings are counted by the sites that forwarded the message, and by the
//! addresses to which it was forwarded.

use std::collections::HashSet;

use gatepost_sdk::{
    Decision, DomainKind, Message, Transaction, canonical, domain_kind, is_support_address,
    partner, receiving_domain,
};

use crate::settings::is_in;
use crate::{Settings, mailbox};

/// The most fields of one name that are read, newest first.
const MAX_FIELDS: usize = 100;
/// The most addresses that are considered.
const MAX_ADDRESSES: usize = 100;
/// The most addresses that a reason names.
const MAX_IN_REASON: usize = 10;
/// The most octets that are read of a Received field. A line has at most 998 (RFC 5322 section
/// 2.1.1), and few fields have more than three lines.
const MAX_RECEIVED: usize = 4096;
/// The most octets that are read of all Received fields; a hundred have about fifty thousand.
const MAX_RECEIVED_TOTAL: usize = 64 << 10;
/// The most octets that are read of all fields of one name with addresses.
const MAX_ADDRESS_FIELDS: usize = 16 << 10;
/// The most octets of an address (RFC 5321 section 4.5.3.1.3).
const MAX_ADDRESS: usize = 254;
/// The most sites that are distinguished.
const MAX_SITES: usize = 10;

/// Tags a message whose trace shows more than one forwarding, and names its requester in a field.
pub fn note(
    settings: &Settings,
    transaction: &Transaction,
    message: &dyn Message,
    decision: &mut Decision,
) {
    let trace = Trace::of(transaction, message);
    if !trace.is_multi_hop() {
        return;
    }
    decision.tag("multi-hop");
    decision.reason(describe_way(&trace.way));
    let passed_on = trace.passed_on(transaction, message);
    let fields = settings.requester_from.iter();
    let named = fields.flat_map(|name| {
        let to = ["to", "cc"].iter().any(|of| name.eq_ignore_ascii_case(of));
        let fields = message
            .section()
            .uppermost(name, MAX_FIELDS, MAX_ADDRESS_FIELDS);
        let addresses = (fields.into_iter()).flat_map(|field| mailbox::addresses(&field));
        addresses.map(move |address| (to, address))
    });
    let mut named = named.take(MAX_ADDRESSES);
    let usable = |(to, address): &(bool, String)| {
        address.len() <= MAX_ADDRESS
            && address.bytes().all(|octet| octet.is_ascii_graphic())
            && !passed_on.contains(&canonical(address))
            // A recipient at a forwarding site is one more alias there.
            && !(*to && trace.is_at_a_site(address))
            && !is_support_address(address)
            && partner(address).is_none()
    };
    if let Some((_, requester)) = named.find(usable) {
        decision.set_header(settings.requester_header.clone(), format!("<{requester}>"));
    }
}

/// Describes the way in a sentence; of a long one, only the beginning.
fn describe_way(way: &[String]) -> String {
    let begin = way.get(..MAX_IN_REASON).unwrap_or(way);
    let mut text = format!("forwarded more than once: for {}", begin.join(", then "));
    if way.len() > begin.len() {
        text.push_str(&format!(" and {} others", way.len() - begin.len()));
    }
    text
}

/// Way of a message, according to its fields.
pub struct Trace {
    /// Addresses, other than the message's recipients and the account's forwarding targets, for which
    /// servers on its way accepted it:
    /// from the first to the last, each once.
    way: Vec<String>,
    /// Domains of these addresses, one for each site.
    sites: Vec<String>,
    /// Number of addresses to which forwarders say that they sent the message.
    sent_on: usize,
}

impl Trace {
    /// Reads the `for` clauses of Received (RFC 5321 section 4.4), newest on top, and Delivered-To
    /// (RFC 9228) and X-Forwarded-To, which forwarders add. Of an endless trace only the newest
    /// part is read, so that the time is bounded.
    pub fn of(transaction: &Transaction, message: &dyn Message) -> Self {
        let section = message.section();
        let received = section.uppermost("Received", MAX_FIELDS, MAX_RECEIVED_TOTAL);
        let delivered = section.uppermost("Delivered-To", MAX_FIELDS, MAX_ADDRESS_FIELDS);
        let forwarded = section.uppermost("X-Forwarded-To", MAX_FIELDS, MAX_ADDRESS_FIELDS);
        let clauses = received.iter().rev();
        let clauses = clauses.filter_map(|field| for_clause(field));
        let sent_on = forwarded
            .iter()
            .rev()
            .flat_map(|field| mailbox::addresses(field));
        let sent_on: Vec<String> = sent_on.take(MAX_ADDRESSES).collect();
        let others = (delivered.iter().rev())
            .flat_map(|field| mailbox::addresses(field))
            .chain(sent_on.iter().cloned());
        let ours = transaction.recipients.iter().map(|to| canonical(to));
        let mut before: HashSet<String> = ours.collect();
        let mut way: Vec<String> = Vec::new();
        for address in clauses.chain(others).take(MAX_ADDRESSES) {
            let address = address.to_lowercase();
            if address.len() <= MAX_ADDRESS
                && before.insert(canonical(&address))
                && !is_target(&address)
            {
                way.push(address);
            }
        }
        let sent_on: HashSet<String> = sent_on.iter().map(|address| canonical(address)).collect();
        let mut trace = Self {
            sites: Vec::new(),
            sent_on: sent_on.len(),
            way,
        };
        trace.find_sites(transaction);
        trace
    }

    fn find_sites(&mut self, transaction: &Transaction) {
        // An alias of the recipient at a connected domain is no forwarder.
        let connected = |to: &String| {
            domain_kind(to).filter(|kind| *kind != DomainKind::Native)?;
            receiving_domain(to)
        };
        let recipients = transaction.recipients.iter().take(MAX_SITES);
        let ours: Vec<String> = recipients.filter_map(connected).collect();
        for address in &self.way {
            let domain = domain(address);
            let mut known = self.sites.iter().chain(&ours);
            if self.sites.len() < MAX_SITES && !known.any(|known| is_same_site(known, domain)) {
                self.sites.push(domain.to_owned());
            }
        }
    }

    /// Returns true if more than one server forwarded the message in turn.
    pub fn is_multi_hop(&self) -> bool {
        self.way.len() > 1 && (self.sites.len() > 1 || self.sent_on > 1)
    }

    fn is_at_a_site(&self, address: &str) -> bool {
        let domain = domain(address).to_lowercase();
        self.sites.iter().any(|site| is_same_site(site, &domain))
    }

    /// Returns the addresses that passed the message on, in canonical form, and so are not the
    /// requester: forwarding mailboxes, by the trace or by their reverse-path, recipients, and
    /// lists.
    fn passed_on(&self, transaction: &Transaction, message: &dyn Message) -> HashSet<String> {
        const FIELDS_OF: &[&str] = &[
            "X-Forwarded-For",
            "X-Forwarded-To",
            "Resent-From",
            "Resent-Sender",
            "X-MS-Exchange-Inbox-Rules-Loop",
            "X-Sieve-Redirected-From",
            "Mailing-List",
            "X-BeenThere",
            "X-Mailing-List",
            "List-Post",
            "X-Original-To",
        ];
        let section = message.section();
        let mut all: HashSet<String> = self.way.iter().map(|address| canonical(address)).collect();
        for name in FIELDS_OF {
            for field in section.uppermost(name, MAX_FIELDS, MAX_ADDRESS_FIELDS) {
                // Such as `<mailto:wool@lists.example>`, or two addresses with a space between.
                let words = field.split(|c: char| c.is_whitespace() || "<>,;:?".contains(c));
                let addresses = words.filter(|word| word.contains('@')).take(MAX_ADDRESSES);
                all.extend(addresses.map(canonical));
            }
        }
        let recipients = transaction.recipients.iter().take(MAX_ADDRESSES);
        all.extend(recipients.map(|to| canonical(to)));
        if let Some(forwarder) = rewritten_by(&transaction.mail_from) {
            all.insert(canonical(&forwarder));
        }
        all
    }
}

/// Returns true for a forwarding target of the account: a recipient by another name.
fn is_target(address: &str) -> bool {
    address.starts_with("f-") && is_support_address(address)
}

/// Returns the mailbox that has rewritten a reverse-path to its own name, as Google does by
/// `tom+caf_=help=desk.example@` and Exchange Online by `tom+SRS=…@`.
fn rewritten_by(reverse_path: &str) -> Option<String> {
    let (local, domain) = reverse_path.rsplit_once('@')?;
    let lower = local.to_ascii_lowercase();
    let at = lower.find("+caf_=").or_else(|| lower.find("+srs="))?;
    Some(format!("{}@{domain}", local.get(..at)?))
}

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Returns true if two domains belong to the same organisation: one is below the other, or is a
/// provider's internal name for the other, such as `customer.onmicrosoft.com` or
/// `customer.example.test-google-a.com` for `customer.example`.
fn is_same_site(one: &str, other: &str) -> bool {
    let is_inside = |long: &str, short: &str| {
        let name = |domain: &str| domain.split('.').next().unwrap_or_default().to_lowercase();
        let labels = |domain: &str| domain.split('.').count();
        let below = long.strip_prefix(short);
        let whole = below.is_some_and(|rest| rest.starts_with('.'));
        // `mail.a.example` and `mail.b.example` share the name of a host.
        let host = matches!(
            name(long).as_str(),
            "mail" | "mx" | "smtp" | "www" | "list" | "lists"
        );
        whole || !host && labels(long) > labels(short) && name(long) == name(short)
    };
    is_in(one, other) || is_in(other, one) || is_inside(one, other) || is_inside(other, one)
}

/// Returns the address of the `for` clause.
fn for_clause(received: &str) -> Option<String> {
    let received = &received[..received.floor_char_boundary(MAX_RECEIVED)];
    let stamp = received
        .rsplit_once(';')
        .map_or(received, |(before, _)| before);
    let mut words = stamp.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("for"))?;
    let path = words.next()?;
    mailbox::addresses(path).into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_of_one_organisation_are_recognised() {
        for (one, other, same) in [
            ("customer.example", "customer.example", true),
            ("mail.customer.example", "customer.example", true),
            ("customer.example", "customer.mail.onmicrosoft.test", true),
            (
                "customer.example.test-google-a.test",
                "customer.example",
                true,
            ),
            ("shop.example", "customer.example", false),
            ("mail.shop.example", "mail.example", false),
            ("shop.example", "shop.test", false),
        ] {
            assert_eq!(is_same_site(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn a_rewritten_reverse_path_names_the_forwarder() {
        for (path, mailbox) in [
            (
                "tom+caf_=help=desk.example@c.example",
                Some("tom@c.example"),
            ),
            (
                "Tom+SRS=44ldt=IX=a.example=ann@c.example",
                Some("Tom@c.example"),
            ),
            ("SRS0=44ldt=IX=a.example=ann@c.example", None),
            ("tom+orders@c.example", None),
            ("", None),
        ] {
            assert_eq!(rewritten_by(path).as_deref(), mailbox, "{path}");
        }
    }
}
