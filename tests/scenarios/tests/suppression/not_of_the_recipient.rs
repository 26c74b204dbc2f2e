//! Refusals of the sender, of the content and by a policy put nobody on the list, nor does a
//! recipient that is taken at the second try.

use test_support::{RelayBuilder, Sink};

use crate::{CHAIN, accepted, bounces, list, relay};

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

#[test]
fn a_reply_that_the_profile_takes_for_the_set_up_suppresses_nobody() {
    let rule = "[[on]]\ncommand = 'RCPT'\nreply = '550 5.1.1 Email address is not verified'\n";
    let service = Sink::scripted(rule, &[]);
    let relay = RelayBuilder::usual(service.address())
        .replace(CHAIN, "chain = []")
        .with(&format!(
            "[suppression]\nsoft-failures = 1\n\
             [routes]\nsubmission = 'connection desk'\n\
             [connection.desk]\nhost = '127.0.0.1'\nport = {}\ntls = 'none'\n\
             profile = 'amazon-ses'",
            service.address().port()
        ))
        .start();
    let id = accepted(&relay, "bob@elsewhere.example");
    relay.eventually("it waits", |relay| {
        let shown = relay.json(&["queue", "show", &id]).remove(0);
        let reply = shown["recipients"][0]["last-reply"].to_string();
        reply.contains("not verified").then_some(())
    });
    assert!(list(&relay).is_empty());
    let counted = relay.json(&["suppression", "list", "--cause", "counting"]);
    assert!(counted.is_empty(), "{counted:?}");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service);
}
