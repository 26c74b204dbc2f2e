//! Looking for a key's record in the DNS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_dns::{Dns, Found};

use crate::{Algorithm, KeyRecord};

/// Most octets of a record that are read.
const LONGEST: usize = 4096;

/// Finding at the name of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The record of the key, by which verifiers can verify.
    Published,
    /// Anything by which verifiers cannot verify, with the words for an operator.
    Unusable(&'static str),
    /// No answer, with the reason: the record may be there.
    Unanswered(String),
}

/// Asks the DNS about the record of a key.
pub async fn look(dns: &impl Dns, record: &KeyRecord, algorithm: Algorithm, public: &[u8]) -> Seen {
    match dns.txt(record.name()).await {
        Err(unavailable) => Seen::Unanswered(unavailable.why),
        Ok(found) => judge(&found, algorithm, public),
    }
}

fn judge(found: &Found<Box<[u8]>>, algorithm: Algorithm, public: &[u8]) -> Seen {
    match found.records() {
        [] => Seen::Unusable("there is no record"),
        [record] => match why_unusable(record, algorithm, public) {
            None => Seen::Published,
            Some(why) => Seen::Unusable(why),
        },
        // RFC 6376 section 3.6.2.2: what verifiers make of them is undefined.
        _ => Seen::Unusable("there are several records, of which verifiers may take any"),
    }
}

/// Returns the reason why verifiers cannot verify by a record, if there is one.
fn why_unusable(record: &[u8], algorithm: Algorithm, public: &[u8]) -> Option<&'static str> {
    let Some(text) = str::from_utf8(record)
        .ok()
        .filter(|_| record.len() <= LONGEST)
    else {
        return Some("the record is no record of a key");
    };
    let tags: Vec<(&str, &str)> = text
        .split(';')
        .filter_map(|tag| tag.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect();
    let tag = |wanted| {
        let mut found = tags.iter().filter(|(name, _)| *name == wanted);
        found.next().map(|(_, value)| *value)
    };
    let has = |list: &str, words: &[&str]| {
        let mut items = list.split(':').map(str::trim);
        items.any(|item| words.iter().any(|word| item.eq_ignore_ascii_case(word)))
    };
    // RFC 6376 section 3.6.1: `v=` may be missing, or is the first.
    let is_first = tags.first().is_some_and(|(name, _)| *name == "v");
    if tag("v").is_some_and(|version| version != "DKIM1" || !is_first) {
        return Some("the record is of another version than DKIM1");
    }
    match tag("p") {
        None => return Some("the record has no key"),
        Some("") => return Some("the key is revoked: p= is empty"),
        Some(text) => {
            let text: String = text.split_whitespace().collect();
            let same = STANDARD.decode(text).is_ok_and(|key| key == public);
            if !same || tag("k").unwrap_or("rsa") != algorithm.word() {
                return Some("the record has another key");
            }
        }
    }
    if tag("h").is_some_and(|hashes| !has(hashes, &["sha256"])) {
        return Some("the record forbids SHA-256: h= does not name it");
    }
    if tag("s").is_some_and(|services| !has(services, &["*", "email"])) {
        return Some("the record is for another service than mail: s= does not name it");
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn seen(records: &[&str]) -> Seen {
        let records: Arc<[Box<[u8]>]> = records
            .iter()
            .map(|record| record.as_bytes().to_vec().into_boxed_slice())
            .collect();
        judge(&Found::Records(records), Algorithm::Ed25519, &[0; 32])
    }

    #[test]
    fn only_a_record_by_which_verifiers_verify_is_published() {
        let key = STANDARD.encode([0; 32]);
        let (half, rest) = key.split_at(20);
        for record in [
            format!("v=DKIM1; k=ed25519; p={key}"),
            format!("v=DKIM1;k=ed25519;t=s;p={half} {rest};"),
            format!("k=ed25519; h=sha1:sha256; s=email; p={key}"),
        ] {
            assert_eq!(seen(&[&record]), Seen::Published, "{record}");
        }
        for record in [
            "v=spf1 -all".to_owned(),
            "v=DKIM1; k=ed25519; p=".to_owned(),
            "v=DKIM1; k=ed25519".to_owned(),
            format!("v=DKIM1; p={key}"),
            format!("v=DKIM2; k=ed25519; p={key}"),
            format!("k=ed25519; v=DKIM1; p={key}"),
            format!("v=DKIM1; k=ed25519; h=sha1; p={key}"),
            format!("v=DKIM1; k=ed25519; s=other; p={key}"),
            format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode([1; 32])),
        ] {
            assert!(matches!(seen(&[&record]), Seen::Unusable(_)), "{record}");
        }
        let good = format!("v=DKIM1; k=ed25519; p={key}");
        assert!(matches!(seen(&[&good, &good]), Seen::Unusable(_)));
        let none = judge(&Found::NoName, Algorithm::Ed25519, &[0; 32]);
        assert!(matches!(none, Seen::Unusable(_)));
    }
}
