//! Proof that a domain is an account's: a TXT record that holds its token.

use gatepost_dns::Dns;
use gatepost_message::Domain;

use crate::report::{Finding, Standing, Topic};
use crate::zone_line;

/// Beginning of the record.
const PREFIX: &str = "gatepost-verification=";

/// Returns the name and the text of the TXT record that holds a domain's token.
pub fn ownership_record(domain: &Domain, token: &str) -> (String, String) {
    let name = format!("_gatepost.{}", domain.as_ascii());
    (name, format!("{PREFIX}{token}"))
}

/// Looks for the record by which an account proves that a domain is its own. Any of the tokens
/// proves it; the first is the one to publish.
pub async fn ownership(dns: &impl Dns, domain: &Domain, tokens: &[String]) -> Finding {
    let token = tokens.first().map_or("", String::as_str);
    let (name, wanted) = ownership_record(domain, token);
    let finding = Finding::new(Topic::Ownership, &name, format!("TXT {wanted}"));
    let found = match dns.txt(&name).await {
        Ok(found) => found,
        Err(unavailable) => return finding.unanswered(&unavailable),
    };
    let finding = finding.found(found.records());
    let mut claimed = found.records().iter().filter_map(|record| token_of(record));
    let proves = |token: &str| tokens.iter().any(|own| own.eq_ignore_ascii_case(token));
    let first = claimed.next();
    if first.is_some_and(proves) || claimed.any(proves) {
        return finding;
    }
    let finding = match first {
        None => finding.is(
            Standing::Missing,
            "nothing proves that the domain is the account's",
        ),
        Some(_) => finding.is(
            Standing::Differs,
            "the record is for another account or another domain",
        ),
    };
    finding.paste([zone_line::txt(&name, &wanted)])
}

/// Returns the token of a record.
fn token_of(record: &[u8]) -> Option<&str> {
    str::from_utf8(record).ok()?.trim().strip_prefix(PREFIX)
}
