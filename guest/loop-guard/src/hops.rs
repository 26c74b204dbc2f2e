//! Loops that the trace fields prove: a message that has come through here before.

use std::collections::BTreeMap;

use gatepost_sdk::{Message as _, bounds, host_name};

use crate::head::Head;
use crate::settings::Settings;

/// Most trace fields of a name that are read, the newest ones; a message with more Received fields
/// is over every limit.
const MAX_FIELDS: usize = 200;

/// Most bytes of them that are read.
const MAX_BYTES: usize = 96 << 10;

/// Most Received fields of our own hosts; one more is a loop.
const MAX_OWN_HOPS: usize = 7;

/// Returns the reason why the message loops for all recipients, by its Received fields.
pub fn looping(head: &Head<'_>, settings: &Settings) -> Option<String> {
    let (hops, limit) = (head.received(), settings.hop_limit);
    if hops > limit {
        return Some(format!("{hops} Received fields, and the limit is {limit}"));
    }
    if hops as usize <= MAX_OWN_HOPS {
        return None;
    }
    let hosts = own_hosts(settings);
    let received = head.section().uppermost("Received", MAX_FIELDS, MAX_BYTES);
    let own = received.iter().filter(|field| is_by(field, &hosts));
    let own = own.count();
    (own > MAX_OWN_HOPS).then(|| format!("it was received here {own} times before"))
}

/// Returns the names under which this site's relays write Received.
fn own_hosts(settings: &Settings) -> Vec<String> {
    let hosts = settings.own_hosts.iter().cloned();
    hosts.chain([host_name()]).collect()
}

/// Returns true if one of these hosts wrote the field, by the word behind `by` (RFC 5321 section
/// 4.4).
fn is_by(field: &str, hosts: &[String]) -> bool {
    let mut words = field.split_whitespace();
    let mut depth = 0usize;
    while let Some(word) = words.next() {
        if depth == 0 && word.eq_ignore_ascii_case("by") {
            let by = words.next().unwrap_or_default();
            let by = by.split([';', '(']).next().unwrap_or_default();
            return hosts.iter().any(|host| host.eq_ignore_ascii_case(by));
        }
        // A comment may contain `by` too.
        depth += word.matches('(').count();
        depth = depth.saturating_sub(word.matches(')').count());
    }
    false
}

/// Recipients to whom the message was delivered already, as Postfix and qmail write it in
/// Delivered-To, and the proof that it had been here before. Case is ignored: the domain has none,
/// and no mail system that writes this field lets two mailboxes differ in case alone.
///
/// A customer's server that relays to us writes the field for the support address first, since that
/// is an address of its own as well. So the field alone is no loop. It is one if the message had
/// been here before it was delivered there, which a Received field of ours below it shows: every
/// server puts its fields on top (RFC 5321 section 4.4, RFC 9228 section 3).
#[derive(Default)]
pub struct Delivered {
    /// Recipients, each with the number of its uppermost field.
    to: BTreeMap<String, usize>,
    /// Number of the lowest Received field that a host of ours has written.
    ours: Option<usize>,
}

impl Delivered {
    /// Reads the fields.
    pub fn of(head: &Head<'_>, settings: &Settings) -> Self {
        let section = head.section();
        let bare = |value: String| value.trim().trim_matches(['<', '>', ' ']).to_lowercase();
        let mut found = Self::default();
        let mut left = MAX_BYTES;
        let named = section.fields().enumerate();
        let named = named.filter(|(_, field)| field.is("Delivered-To"));
        for (number, field) in named.take(MAX_FIELDS) {
            let length = field.body().len();
            if length > left {
                break;
            }
            left -= length;
            found.to.entry(bare(field.value())).or_insert(number);
        }
        if found.to.is_empty() {
            return found;
        }
        let hosts = own_hosts(settings);
        let fields = section.fields().enumerate().rev();
        let received = fields.filter(|(_, field)| field.is("Received"));
        let mut written = received.filter(|(_, field)| is_by(&field.text(bounds::TEXT), &hosts));
        found.ours = written.next().map(|(number, _)| number);
        found
    }

    /// Returns true if it was delivered to this recipient after it had been here. An email id of
    /// ours (`has_our_id`) shows the latter as well, wherever it stands.
    pub fn to(&self, recipient: &str, has_our_id: bool) -> bool {
        let number = self.to.get(&recipient.to_lowercase());
        number.is_some_and(|number| has_our_id || self.ours.is_some_and(|ours| ours > *number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_received_field_is_of_the_host_behind_by() {
        let ours = ["mx.desk.example".to_owned()];
        for (field, own) in [
            (
                "from a.example (helo by mx.desk.example) by MX.desk.example with ESMTP; now",
                true,
            ),
            ("from a.example by mx.desk.example; now", true),
            ("by mx.desk.example (Postfix)", true),
            ("from mx.desk.example by b.example; now", false),
            ("from a.example (by mx.desk.example) by b.example", false),
            ("", false),
            ("from a.example by", false),
        ] {
            assert_eq!(is_by(field, &ours), own, "{field}");
        }
    }
}
