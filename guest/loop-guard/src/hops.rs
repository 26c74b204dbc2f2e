//! What the trace fields prove: a message that has come through here before.

use std::collections::BTreeSet;

use gatepost_sdk::{Message as _, host_name};

use crate::head::Head;
use crate::settings::Settings;

/// Trace fields of a name that are read, the newest ones; a message with more Received fields is over
/// every limit.
const FIELDS: usize = 200;

/// Octets of them that are read.
const OCTETS: usize = 96 << 10;

/// How often our own host may stand in Received; one time more is a loop.
const OWN_HOPS: usize = 7;

/// Why the trace says that the message loops, whoever it is for; `None` where it does not.
pub fn looping(head: &Head<'_>, settings: &Settings) -> Option<String> {
    let (hops, limit) = (head.received(), settings.hop_limit);
    if hops > limit {
        return Some(format!("{hops} Received fields, and the limit is {limit}"));
    }
    if hops as usize <= OWN_HOPS {
        return None;
    }
    let hosts = settings.own_hosts.iter().cloned();
    let hosts: Vec<String> = hosts.chain([host_name()]).collect();
    let received = head.section().uppermost("Received", FIELDS, OCTETS);
    let own = received.iter().filter(|field| is_by(field, &hosts));
    let own = own.count();
    (own > OWN_HOPS).then(|| format!("it was received here {own} times before"))
}

/// Whether one of these hosts wrote the field: the word behind `by` (RFC 5321 section 4.4).
fn is_by(field: &str, hosts: &[String]) -> bool {
    let mut words = field.split_whitespace();
    let mut depth = 0usize;
    while let Some(word) = words.next() {
        if depth == 0 && word.eq_ignore_ascii_case("by") {
            let by = words.next().unwrap_or_default();
            let by = by.split([';', '(']).next().unwrap_or_default();
            return hosts.iter().any(|host| host.eq_ignore_ascii_case(by));
        }
        // A comment may hold the word too.
        depth += word.matches('(').count();
        depth = depth.saturating_sub(word.matches(')').count());
    }
    false
}

/// Those to whom the message was delivered already, as Postfix and qmail write it in Delivered-To.
/// The domain has no case, and no mail system that stamps this field lets two mailboxes differ in
/// case alone.
pub struct Delivered(BTreeSet<String>);

impl Delivered {
    /// Reads the fields.
    pub fn of(head: &Head<'_>) -> Self {
        let bare = |value: String| value.trim_matches(['<', '>', ' ']).to_lowercase();
        let fields = head.section().uppermost("Delivered-To", FIELDS, OCTETS);
        Self(fields.into_iter().map(bare).collect())
    }

    /// Whether it was to this recipient.
    pub fn to(&self, recipient: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&recipient.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wrote_a_received_field() {
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
