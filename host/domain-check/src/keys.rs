//! DKIM: the records of keys that sign mail of a domain.

use futures_util::future::join_all;
use gatepost_dkim::{Algorithm, Seen, look};
use gatepost_dns::Dns;

use crate::report::{Finding, Standing, Topic};
use crate::subject::{CheckedDomain, SigningKey};

/// Findings about keys.
pub(crate) struct ComparedKeys {
    pub(crate) findings: Vec<Finding>,
    /// Domains for which a key signs that every verifier can verify by.
    pub(crate) signers: Vec<String>,
}

/// Compares the records of all keys of a domain.
pub(crate) async fn compare(dns: &impl Dns, checked: &CheckedDomain) -> ComparedKeys {
    if checked.keys.is_empty() {
        let name = format!("_domainkey.{}", checked.domain.as_ascii());
        let finding = Finding::new(Topic::Dkim, name, "a key that signs mail of the domain");
        let words = format!("there is no key: make it with `{}`", checked.makes_keys);
        return ComparedKeys {
            findings: vec![finding.is(Standing::Missing, words)],
            signers: Vec::new(),
        };
    }
    let compared = join_all(checked.keys.iter().map(|key| compare_one(dns, key))).await;
    ComparedKeys {
        signers: signers(&checked.keys, &compared),
        findings: compared,
    }
}

/// Returns the domains for which keys are published.
pub(crate) async fn published(dns: &impl Dns, keys: &[SigningKey]) -> Vec<String> {
    let compared = join_all(keys.iter().map(|key| compare_one(dns, key))).await;
    signers(keys, &compared)
}

fn signers(keys: &[SigningKey], compared: &[Finding]) -> Vec<String> {
    let compared = keys.iter().zip(compared);
    // Many receivers know no Ed25519 (RFC 8463).
    let right = compared.filter(|(key, finding)| {
        key.algorithm == Algorithm::Rsa && finding.standing == Standing::Right
    });
    let mut signers: Vec<_> = right
        .map(|(key, _)| key.domain.as_ascii().to_owned())
        .collect();
    signers.dedup();
    signers
}

async fn compare_one(dns: &impl Dns, key: &SigningKey) -> Finding {
    let name = key.record.name();
    let finding = Finding::new(Topic::Dkim, name, format!("TXT {}", key.record.text()));
    let found = match dns.txt(name).await {
        Ok(found) => found,
        Err(unavailable) => return finding.unanswered(&unavailable),
    };
    let finding = finding.found(found.records());
    let why = match look(dns, &key.record, key.algorithm, &key.public).await {
        Seen::Published => return finding,
        Seen::Unusable(why) => why,
        Seen::Unanswered(why) => return finding.is(Standing::Unanswered, why),
    };
    let standing = match found.records().is_empty() {
        true => Standing::Missing,
        false => Standing::Differs,
    };
    let own_line = key.record.zone_line(name);
    let Some(alias) = &key.alias else {
        return finding.is(standing, why).paste([own_line]);
    };
    let in_site = key.record.at(alias);
    let alias_line = key.record.alias_line(alias);
    match look(dns, &in_site, key.algorithm, &key.public).await {
        // The site's zone has the record: the alias is enough, and needs no change later.
        Seen::Published => finding.is(standing, why).paste([alias_line]),
        _ => {
            let words = format!(
                "{why}; with `{alias_line}` in place of it, the site's own zone has to have the \
                 record at {alias}"
            );
            finding.is(standing, words).paste([own_line])
        }
    }
}
