//! The fields of mailing lists: those of RFC 2919, RFC 2369 and RFC 8058, and what list managers
//! wrote before. Names are in lower case.

use super::rule::Rule;

pub(super) fn rule(name: &str) -> Option<Rule> {
    match name {
        "list-id"
        | "list-post"
        | "list-help"
        | "list-subscribe"
        | "list-unsubscribe"
        | "list-unsubscribe-post"
        | "list-owner"
        | "list-archive"
        | "list-archived-at" => Some(Rule::ListField),
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
