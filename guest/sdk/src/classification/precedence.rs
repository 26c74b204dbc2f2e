//! Precedence and X-Precedence: never standardised, and in wide use (RFC 3834 section 2, RFC 2076).

use super::rule::Rule;

pub(super) fn rule(value: &str) -> Option<Rule> {
    let word = value.split([' ', ';', '(']).next().unwrap_or_default();
    let is = |it: &str| word.eq_ignore_ascii_case(it);
    if is("list") {
        Some(Rule::ListPrecedence)
    } else if is("bulk") || is("junk") {
        Some(Rule::BulkPrecedence)
    } else if ["auto_reply", "auto-reply", "autoreply"]
        .into_iter()
        .any(is)
    {
        Some(Rule::AutoReplyPrecedence)
    } else {
        None
    }
}
