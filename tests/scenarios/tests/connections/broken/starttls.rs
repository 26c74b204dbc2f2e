//! A 5xx reply to STARTTLS breaks the connection and fails no message.

use crate::breaks_and_mends;

#[test]
fn a_refusal_at_starttls_bounces_nothing() {
    let rule = "command = 'STARTTLS'\nreply = '554 5.7.3 no TLS today'\n";
    breaks_and_mends(rule, "starttls", "no TLS today");
}
