//! The fields of mailing lists: those of RFC 2919, RFC 2369 and RFC 8058, and the older ones of
//! list managers. Names are in lower case.

use super::rule::Rule;

/// Returns local parts and domains, in lower case, of the lists that a field names:
/// `<mailto:wool@l.example>`, `list wool@l.example; contact …`, or the id `<wool.l.example>`.
pub(super) fn addresses(value: &str) -> Vec<(String, String)> {
    let lower = value.to_lowercase();
    let of_address = |c: char| c.is_alphanumeric() || "@.-_+=".contains(c);
    let words = lower
        .split(|c| !of_address(c))
        .filter(|word| !word.is_empty());
    let mut found: Vec<(String, String)> = words
        .filter_map(|word| word.split_once('@'))
        .filter(|(local, domain)| !local.is_empty() && domain.contains('.'))
        .map(|(local, domain)| (local.to_owned(), domain.to_owned()))
        .take(8)
        .collect();
    if let Some((_, id)) = lower.rsplit_once('<')
        && let Some((id, _)) = id.split_once('>')
        && let Some((local, domain)) = id.split_once('.')
        && id.chars().all(of_address)
        && domain.contains('.')
    {
        found.push((local.to_owned(), domain.to_owned()));
    }
    found
}

pub(super) fn rule(name: &str) -> Option<Rule> {
    match name {
        "list-id" | "list-post" | "list-help" | "list-subscribe" | "list-owner"
        | "list-archive" | "list-archived-at" => Some(Rule::ListField),
        "list-unsubscribe" | "list-unsubscribe-post" => Some(Rule::ListUnsubscribe),
        "mailing-list"
        | "x-mailing-list"
        | "x-mailinglist"
        | "x-beenthere"
        | "x-mailman-version"
        | "x-list"
        | "x-listname"
        | "x-list-name"
        | "x-list-id"
        | "x-listserver"
        | "x-listprocessor-version"
        | "x-majordomo-version"
        | "x-ezmlm"
        | "x-mlserver"
        | "x-ml-name"
        | "x-google-group-id"
        | "x-yahoo-profile"
        | "x-egroups-remote-ip"
        | "x-list-received-date"
        | "x-list-host"
        | "x-sympa-to"
        | "x-validation-by"
        | "x-mailman-approved-at"
        | "x-smartlist" => Some(Rule::ListManagerField),
        _ => None,
    }
}
