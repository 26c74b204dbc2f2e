//! A list is of one account: another account's mail to the address goes, and so does a message that
//! nobody of an account has submitted. Without `record`, replies put nobody on it.

use crate::{bounces, list, relay, submit};

#[test]
fn a_list_is_of_one_account() {
    let rule = "[[on]]\ncommand = 'RCPT'\nmatch = 'nobody@*'\nreply = '550 5.1.1 no such user'\n";
    let (builder, sink) = relay(rule);
    let relay = builder
        .with(
            "[[account]]\nid = 'other'\ndomains = ['other.example']\n\
             users = [{ name = 'other', password = 'secret' }]",
        )
        .start();
    relay.json(&[
        "suppression",
        "add",
        "other",
        "bob@elsewhere.example",
        "--reason",
        "asked us",
    ]);
    assert_eq!(submit(&relay, "bob@elsewhere.example").code, 250);
    assert_eq!(sink.take().to, ["bob@elsewhere.example"]);
    let mut client = relay.client("submission").authenticated("other", "secret");
    client.command("MAIL FROM:<ann@other.example>", 250);
    let reply = client.command("RCPT TO:<Bob@elsewhere.example>", 550);
    assert!(reply.text().contains("asked us"), "{}", reply.text());
    // A sub-address is another mailbox.
    client.command("RCPT TO:<bob+news@elsewhere.example>", 250);
    relay.leaves_nothing(sink);
}

#[test]
fn without_record_replies_put_nobody_on_the_list() {
    let rule = "[[on]]\ncommand = 'RCPT'\nmatch = 'nobody@*'\nreply = '550 5.1.1 no such user'\n";
    let (builder, sink) = relay(rule);
    let relay = builder.with("[suppression]\nrecord = false").start();
    bounces(&relay, &sink, "nobody@elsewhere.example");
    assert!(list(&relay).is_empty());
    relay.leaves_nothing(sink);
}
