//! A 5xx reply to the greeting breaks the connection and fails no message.

use crate::breaks_and_mends;

#[test]
fn a_refusal_at_greeting_bounces_nothing() {
    let rule = "command = 'CONNECT'\nreply = '554 5.3.2 closed for you'\n";
    breaks_and_mends(rule, "greeting", "closed for you");
}
