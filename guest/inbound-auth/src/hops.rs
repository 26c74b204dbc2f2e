//! A message that was forwarded more than once, and who has asked then.
//!
//! Forwarding leaves the author in From, as long as it is done once and well. Where several servers
//! forward in turn, some rewrite From; who has asked is then told by other fields.
//!
//! A [`Trace`] is what the message tells of its way. One forwarding leaves several addresses in it:
//! an alias, the mailbox behind it, a sub-address, the name that a provider has for the domain
//! inside. So it is counted by the sites that have forwarded it, and by the
//! addresses that it was sent on to.

use std::collections::HashSet;

use gatepost_sdk::{
    Decision, DomainKind, Message, Transaction, canonical, destination, is_support_address, partner,
};

use crate::settings::is_in;
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
/// The most sites that are told apart.
const SITES: usize = 10;

/// Tags a message whose trace shows more than one forwarding, and says who its requester is.
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
    decision.reason(told(&trace.way));
    let passed_on = trace.passed_on(transaction, message);
    let fields = settings.requester_from.iter();
    let named = fields.flat_map(|name| {
        let to = ["to", "cc"].iter().any(|of| name.eq_ignore_ascii_case(of));
        let fields = message.section().uppermost(name, FIELDS, ADDRESSES);
        let addresses = (fields.into_iter()).flat_map(|field| mailbox::addresses(&field));
        addresses.map(move |address| (to, address))
    });
    let mut named = named.take(NAMED);
    let usable = |(to, address): &(bool, String)| {
        address.len() <= LONGEST
            && address.bytes().all(|octet| octet.is_ascii_graphic())
            && !passed_on.contains(&canonical(address))
            // To whom it was sent at a site that forwards is one more alias there.
            && !(*to && trace.is_at_a_site(address))
            && !is_support_address(address)
            && partner(address).is_none()
    };
    if let Some((_, requester)) = named.find(usable) {
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

/// What a message tells of its way.
pub struct Trace {
    /// The addresses, other than the message's recipients, for which servers on its way took it:
    /// from the first to the last, each once.
    way: Vec<String>,
    /// The domains of these, one for each site.
    sites: Vec<String>,
    /// To how many addresses forwarders say that they sent it on.
    sent_on: usize,
}

impl Trace {
    /// Reads the `for` clauses of Received (RFC 5321 section 4.4), newest on top, and Delivered-To
    /// (RFC 9228) and X-Forwarded-To, which forwarders add. Of a trace that never ends the newest
    /// part is read: it takes time in proportion to its length, and no more than is told.
    pub fn of(transaction: &Transaction, message: &dyn Message) -> Self {
        let section = message.section();
        let received = section.uppermost("Received", FIELDS, TRACE);
        let delivered = section.uppermost("Delivered-To", FIELDS, ADDRESSES);
        let forwarded = section.uppermost("X-Forwarded-To", FIELDS, ADDRESSES);
        let clauses = received.iter().rev();
        let clauses = clauses.filter_map(|field| for_clause(field));
        let sent_on = forwarded
            .iter()
            .rev()
            .flat_map(|field| mailbox::addresses(field));
        let sent_on: Vec<String> = sent_on.take(NAMED).collect();
        let others = (delivered.iter().rev())
            .flat_map(|field| mailbox::addresses(field))
            .chain(sent_on.iter().cloned());
        let ours = transaction.recipients.iter().map(|to| canonical(to));
        let mut before: HashSet<String> = ours.collect();
        let mut way: Vec<String> = Vec::new();
        for address in clauses.chain(others).take(NAMED) {
            let address = address.to_lowercase();
            if address.len() <= LONGEST && before.insert(canonical(&address)) {
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
        // At a connected domain an alias of the recipient forwards nothing.
        let connected = |to: &String| {
            let of = destination(to).filter(|of| of.kind != DomainKind::Native)?;
            Some(of.domain)
        };
        let recipients = transaction.recipients.iter().take(SITES);
        let ours: Vec<String> = recipients.filter_map(connected).collect();
        for address in &self.way {
            let domain = domain(address);
            let mut known = self.sites.iter().chain(&ours);
            if self.sites.len() < SITES && !known.any(|known| is_same_site(known, domain)) {
                self.sites.push(domain.to_owned());
            }
        }
    }

    /// Whether more than one server has forwarded it in turn.
    pub fn is_multi_hop(&self) -> bool {
        self.way.len() > 1 && (self.sites.len() > 1 || self.sent_on > 1)
    }

    fn is_at_a_site(&self, address: &str) -> bool {
        let domain = domain(address).to_lowercase();
        self.sites.iter().any(|site| is_same_site(site, &domain))
    }

    /// Who has passed the message on, in canonical form, and has not asked: mailboxes that forward,
    /// in the trace or by the reverse-path that they gave it, whom it came to, and lists.
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
            for field in section.uppermost(name, FIELDS, ADDRESSES) {
                // `<mailto:wool@lists.example>`, and two addresses with a space between them.
                let words = field.split(|c: char| c.is_whitespace() || "<>,;:?".contains(c));
                let addresses = words.filter(|word| word.contains('@')).take(NAMED);
                all.extend(addresses.map(canonical));
            }
        }
        let recipients = transaction.recipients.iter().take(NAMED);
        all.extend(recipients.map(|to| canonical(to)));
        if let Some(forwarder) = rewritten_by(&transaction.mail_from) {
            all.insert(canonical(&forwarder));
        }
        all
    }
}

/// The mailbox that has rewritten a reverse-path to its own name, where that says so: Google's
/// `tom+caf_=help=desk.example@`, and Exchange Online's `tom+SRS=…@`.
fn rewritten_by(reverse_path: &str) -> Option<String> {
    let (local, domain) = reverse_path.rsplit_once('@')?;
    let lower = local.to_ascii_lowercase();
    let at = lower.find("+caf_=").or_else(|| lower.find("+srs="))?;
    Some(format!("{}@{domain}", local.get(..at)?))
}

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Whether the same organisation is behind two domains: one is below the other, or is the name that
/// a provider has for the other inside, as `customer.onmicrosoft.com` and
/// `customer.example.test-google-a.com` are for `customer.example`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_organisation_has_several_domains() {
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
    fn a_reverse_path_tells_who_rewrote_it() {
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
