//! Two that say nowhere that they are machines, and answer whatever comes: it ends by itself.

use test_support::{RelayBuilder, Reply, Sink};

use crate::{AGENT, ANN, comes, goes, taken};

#[test]
fn a_silent_exchange_waits_and_a_person_lets_it_begin_anew() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut tags = Vec::new();
    for _ in 0..4 {
        taken(&comes(&relay, ""));
        tags.push(sink.take().header("X-Gatepost-Tags"));
        taken(&goes(&relay, "", &[ANN]));
        sink.take();
    }
    // In nearly the same words it is one exchange earlier than otherwise.
    assert_eq!(tags[..3], [None, None, None]);
    assert_eq!(tags[3].as_deref(), Some("suppress-automatic"));
    let waits = |reply: &Reply| {
        let said = reply.text();
        assert_eq!(
            (reply.code, reply.enhanced()),
            (451, Some("4.7.1")),
            "{said}"
        );
        said
    };
    waits(&comes(&relay, ""));
    let said = waits(&goes(&relay, "", &[ANN]));
    assert!(said.contains("X-Gatepost-Trigger: agent"), "{said}");

    taken(&goes(&relay, AGENT, &[ANN]));
    sink.take();
    taken(&comes(&relay, ""));
    assert_eq!(sink.take().header("X-Gatepost-Tags"), None);
    taken(&goes(&relay, "", &[ANN]));
    sink.take();
    relay.leaves_nothing(sink);
}

#[test]
fn the_steps_are_those_that_are_set() {
    let sink = Sink::start();
    let pair = |steps: &str| format!("pair = {{ minutes = 1440, {steps} }}");
    let relay =
        crate::with_settings(&sink, &pair("suppress = 0, tempfail = 1, reject = 9")).start();
    taken(&goes(&relay, "", &[ANN]));
    sink.take();
    let reply = comes(&relay, "");
    assert_eq!(
        (reply.code, reply.enhanced()),
        (451, Some("4.7.1")),
        "{}",
        reply.text()
    );
    drop(relay);

    let relay =
        crate::with_settings(&sink, &pair("suppress = 1, tempfail = 0, reject = 1")).start();
    taken(&goes(&relay, "", &[ANN]));
    sink.take();
    // The first reaches the step that makes the day one of haste.
    taken(&comes(&relay, ""));
    assert_eq!(
        sink.take().header("X-Gatepost-Tags").as_deref(),
        Some("suppress-automatic")
    );
    let reply = comes(&relay, "");
    assert_eq!(
        (reply.code, reply.enhanced()),
        (554, Some("5.4.6")),
        "{}",
        reply.text()
    );
    let reply = goes(&relay, "", &[ANN]);
    assert_eq!(
        (reply.code, reply.enhanced()),
        (550, Some("5.7.1")),
        "{}",
        reply.text()
    );
    relay.leaves_nothing(sink);
}
