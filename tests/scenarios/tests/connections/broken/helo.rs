//! A 5xx reply to EHLO of a server that accepts HELO and then offers no STARTTLS: the connection is
//! broken, and the server's own words say why.

use crate::breaks_and_mends;

#[test]
fn the_words_of_the_refused_ehlo_are_shown() {
    let rule = "command = 'EHLO'\nreply = '550 5.7.1 relay 192.0.2.1 is not registered'\n";
    breaks_and_mends(rule, "ehlo", "relay 192.0.2.1 is not registered");
}
