//! A trigger is what the application says of itself: it does not leave, and what comes in is not
//! believed to have one.

use test_support::{RelayBuilder, Sink};

use crate::{ANN, AUTOMATIC, comes, goes, suppressed, taken};

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
    let [(_, reason)] = suppressed(&relay, &id).try_into().unwrap();
    assert!(
        reason.starts_with("in answer to <1@sender.example>"),
        "{reason}"
    );
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
