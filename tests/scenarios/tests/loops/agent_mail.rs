//! The trigger field is the word of the application: it does not leave the relay, and one from
//! outside is not believed.

use test_support::{RelayBuilder, Sink};

use crate::{ANN, AUTOMATIC, comes, goes, taken};

#[test]
fn an_automatic_answer_to_an_automatic_message_is_not_sent() {
    let sink = Sink::start();
    // Without knowledge of machines, so that it is the thread alone that tells.
    let relay = crate::with_settings(&sink, "machine-days = 0, autoresponder-hours = 0").start();
    taken(&comes(
        &relay,
        "Message-ID: <1@sender.example>\r\nAuto-Submitted: auto-replied\r\n",
    ));
    sink.take();
    let answer = |id: u32| format!("{AUTOMATIC}In-Reply-To: <{id}@sender.example>\r\n");
    let id = taken(&goes(&relay, &answer(1), &[ANN]));
    insta::assert_snapshot!(relay.trace_until(&id, "replied"), @"
    begun on submission from 127.0.0.1:PORT as user, TLSv1.3 TLS13_AES_256_GCM_SHA384
    sender <help@desk.example>: 250 2.1.0 Ok, transaction ID1
    recipient <ann@sender.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass (auto-generated, by X-Gatepost-Trigger: automatic
        [automatic-trigger]; ann@sender.example gets nothing: in answer to
        <1@sender.example> from ann@sender.example, which is automatic)
    judged header-guard DIGEST message: pass
    suppressed <ann@sender.example>: in answer to <1@sender.example> from
        ann@sender.example, which is automatic
    replied 250 2.6.0 Queued as ID1 (reasons: loop-guard: auto-generated, by
        X-Gatepost-Trigger: automatic [automatic-trigger]; loop-guard: ann@sender.example
        gets nothing: in answer to <1@sender.example> from ann@sender.example, which is
        automatic) (131 B)
    ");
    taken(&goes(&relay, &answer(2), &[ANN]));
    sink.take();
    relay.leaves_nothing(sink);
}

#[test]
fn a_trigger_from_outside_is_not_believed() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let fields = "X-Gatepost-Trigger: agent\r\nAuto-Submitted: auto-generated\r\n";
    taken(&comes(&relay, fields));
    let arrived = sink.take();
    assert_eq!(arrived.header("X-Gatepost-Trigger"), None);
    assert_eq!(
        arrived.header("X-Gatepost-Tags").as_deref(),
        Some("suppress-automatic")
    );
    relay.leaves_nothing(sink);
}
