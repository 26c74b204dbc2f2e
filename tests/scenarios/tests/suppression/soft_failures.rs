//! A full mailbox counts once a message, however often it is tried; at the set number the address
//! is suppressed.

use crate::{bounces, list, relay, submit};

#[test]
fn a_mailbox_that_stays_full_is_suppressed() {
    let rule = "[[on]]\ncommand = 'RCPT'\nmatch = 'bob@*'\nreply = '550 5.2.2 mailbox full'\n\
        [[on]]\ncommand = 'RCPT'\nmatch = 'eve@*'\nreply = '452 4.2.2 mailbox full'\n";
    let (builder, sink) = relay(rule);
    let relay = builder
        .replace("retry = [\"1s\"]", "retry = [\"200ms\"]\nexpiry = \"1s\"")
        .with("[suppression]\nsoft-failures = 2")
        .start();
    for address in ["bob@elsewhere.example", "eve@elsewhere.example"] {
        bounces(&relay, &sink, address);
        let suppressed = list(&relay);
        assert!(
            suppressed.iter().all(|entry| entry["address"] != address),
            "{suppressed:?}"
        );
        let counted = relay.json(&["suppression", "list", "acme", "--cause", "counting"]);
        assert_eq!(counted[0]["address"], address);
        assert_eq!(counted[0]["count"], 1);
        bounces(&relay, &sink, address);
        let reply = submit(&relay, address);
        assert_eq!(reply.code, 550, "{}", reply.text());
        assert!(reply.text().contains("mailbox full"), "{}", reply.text());
    }
    let causes = list(&relay).into_iter().map(|entry| entry["cause"].clone());
    assert_eq!(causes.collect::<Vec<_>>(), ["soft-bounces", "soft-bounces"]);
    relay.leaves_nothing(sink);
}
