//! Refusals of the sender, of the content and by a policy put nobody on the list, nor does a
//! recipient that is taken at the second try.

use crate::{accepted, bounces, list, relay};

#[test]
fn refusals_of_something_else_suppress_nobody() {
    let rule = "
        [[on]]
        command = 'RCPT'
        match = 'policy@*'
        reply = '550 5.7.1 User unknown to our policy'
        [[on]]
        command = 'RCPT'
        match = 'spam@*'
        reply = '550 5.1.1 Mail rejected, your IP is on a blacklist'
        [[on]]
        command = 'RCPT'
        match = 'words@*'
        reply = '554 Message rejected'
        [[on]]
        command = 'MESSAGE'
        match = '/content@/'
        reply = '550 5.1.1 no such user'
        [[on]]
        command = 'MAIL'
        match = '/ann@/'
        after = 4
        times = 1
        reply = '550 5.1.1 no such user'
        [[on]]
        command = 'RCPT'
        match = 'later@*'
        times = 1
        reply = '450 4.1.1 user unknown for now'
    ";
    let (builder, sink) = relay(rule);
    let relay = builder.with("[suppression]\nsoft-failures = 1").start();
    for local in ["policy", "spam", "words", "content", "sender"] {
        bounces(&relay, &sink, &format!("{local}@elsewhere.example"));
    }
    accepted(&relay, "later@elsewhere.example");
    assert_eq!(sink.take().to, ["later@elsewhere.example"]);
    assert!(list(&relay).is_empty());
    let counted = relay.json(&["suppression", "list", "--cause", "counting"]);
    assert!(counted.is_empty(), "{counted:?}");
    relay.leaves_nothing(sink);
}
