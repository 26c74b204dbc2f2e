//! A 5xx reply to EHLO, and to HELO after it, breaks the connection and fails no message.

use crate::breaks_and_mends;

#[test]
fn a_refusal_at_ehlo_bounces_nothing() {
    let rule = "command = 'EHLO'\nreply = '550 5.7.1 not you'\n\
        [[on]]\ncommand = 'HELO'\ntimes = 1\nreply = '550 5.7.1 not you'\n";
    breaks_and_mends(rule, "ehlo", "not you");
}
