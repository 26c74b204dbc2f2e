//! A delivery between two failures clears the count.

use crate::{accepted, bounces, list, relay, submit};

#[test]
fn a_delivery_clears_what_was_counted() {
    let rule = "[[on]]\ncommand = 'RCPT'\ntimes = 1\nmatch = 'bob@*'\nreply = '550 5.2.2 full'\n\
        [[on]]\ncommand = 'RCPT'\nafter = 2\nmatch = 'bob@*'\nreply = '550 5.2.2 full'\n";
    let (builder, sink) = relay(rule);
    let relay = builder.with("[suppression]\nsoft-failures = 2").start();
    let bob = "bob@elsewhere.example";
    bounces(&relay, &sink, bob);
    let id = accepted(&relay, bob);
    assert_eq!(sink.take().to, [bob]);
    relay.eventually("the delivery is recorded", |relay| {
        (!relay.events(&id, "attempt").is_empty()).then_some(())
    });
    bounces(&relay, &sink, bob);
    assert!(list(&relay).is_empty());
    bounces(&relay, &sink, bob);
    assert_eq!(submit(&relay, bob).code, 550);
    relay.leaves_nothing(sink);
}
