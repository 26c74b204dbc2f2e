//! A 5xx reply to AUTH breaks the connection and fails no message.

use crate::breaks_and_mends;

#[test]
fn a_refusal_at_auth_bounces_nothing() {
    let rule = "command = 'LOGIN'\nreply = '535 5.7.8 wrong password'\n";
    breaks_and_mends(rule, "auth", "wrong password");
}
