//! Two machines without any mark answer each other. The loop ends with a refusal of our answer;
//! mail from outside is still accepted, and a message of an agent resets the counts.

use test_support::{RelayBuilder, Reply, Sink};

use crate::{AGENT, ANN, comes, goes, taken};

fn is_refused(reply: &Reply) {
    let said = reply.text();
    let code = (reply.code, reply.enhanced());
    assert_eq!(code, (550, Some("5.7.1")), "{said}");
    assert!(said.contains("X-Gatepost-Trigger: agent"), "{said}");
}

#[test]
fn a_silent_exchange_ends_and_a_person_lets_it_begin_anew() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut tags = Vec::new();
    for _ in 0..3 {
        taken(&comes(&relay, ""));
        tags.push(sink.take().header("X-Gatepost-Tags"));
        taken(&goes(&relay, "", &[ANN]));
        sink.take();
    }
    assert_eq!(tags, [None, None, None]);
    taken(&comes(&relay, ""));
    sink.take();
    is_refused(&goes(&relay, "", &[ANN]));
    taken(&comes(&relay, ""));
    sink.take();
    for _ in 0..3 {
        taken(&comes(&relay, ""));
        let tag = sink.take().header("X-Gatepost-Tags");
        assert_eq!(tag.as_deref(), Some("suppress-automatic"));
    }
    is_refused(&goes(&relay, "", &[ANN]));

    taken(&goes(&relay, AGENT, &[ANN]));
    sink.take();
    taken(&comes(&relay, ""));
    assert_eq!(sink.take().header("X-Gatepost-Tags"), None);
    taken(&goes(&relay, "", &[ANN]));
    sink.take();
    relay.leaves_nothing(sink);
}

#[test]
fn the_limits_are_those_that_are_set() {
    let sink = Sink::start();
    let relay = crate::with_settings(&sink, "limits = { correspondent = 1 }").start();
    taken(&goes(&relay, "", &[ANN]));
    sink.take();
    taken(&comes(&relay, ""));
    assert_eq!(
        sink.take().header("X-Gatepost-Tags").as_deref(),
        Some("suppress-automatic")
    );
    drop(relay);

    let relay = crate::with_settings(&sink, "limits = { correspondent = 0, haste = 1 }").start();
    taken(&comes(&relay, ""));
    sink.take();
    let reply = goes(&relay, "", &[ANN]);
    let said = reply.text();
    let code = (reply.code, reply.enhanced());
    assert_eq!(code, (451, Some("4.7.1")), "{said}");
    assert!(said.contains("X-Gatepost-Trigger: agent"), "{said}");
    taken(&goes(&relay, AGENT, &[ANN]));
    sink.take();
    relay.leaves_nothing(sink);
}
