//! With `report = true`, the submitter of automatic mail gets a notice of the suppressed
//! recipients, which nobody answers.

use test_support::Sink;

use crate::{ANN, AUTOMATIC, DESK, comes, goes, taken};

#[test]
fn the_submitter_hears_who_gets_nothing_and_why() {
    let sink = Sink::start();
    let relay = crate::with_settings(&sink, "report = true").start();
    taken(&comes(&relay, "Auto-Submitted: auto-generated\r\n"));
    sink.take();
    let id = taken(&goes(&relay, AUTOMATIC, &[ANN]));
    let notice = sink.take();
    assert_eq!(
        (notice.from.as_str(), notice.to.as_slice()),
        ("", &[DESK.to_owned()][..])
    );
    assert_eq!(
        notice.header("Auto-Submitted").as_deref(),
        Some("auto-replied")
    );
    assert_eq!(
        notice.header("Subject").as_deref(),
        Some("Not sent: Your ticket")
    );
    let text = notice.text();
    for said in [ANN, "a machine writes from", id.as_str()] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let reasons = notice.header("X-Gatepost-Reasons").unwrap();
    assert!(reasons.contains("loop-guard: "), "{reasons}");
    // It is no bounce.
    assert!(!text.contains("delivery-status"), "{text}");
    insta::assert_snapshot!(relay.trace_until(&id, "replied"), @"
    begun on submission from 127.0.0.1:PORT as user, TLSv1.3 TLS13_AES_256_GCM_SHA384
    sender <help@desk.example>: 250 2.1.0 Ok, transaction ID1
    recipient <ann@sender.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass (auto-generated, by X-Gatepost-Trigger: automatic
        [automatic-trigger]; ann@sender.example gets nothing: a machine writes from
        ann@sender.example, by Auto-Submitted: auto-generated [auto-generated])
    judged header-guard DIGEST message: pass
    notified the sender is told of the suppression of <ann@sender.example> in ID2
    suppressed <ann@sender.example>: a machine writes from ann@sender.example, by
        Auto-Submitted: auto-generated [auto-generated]
    replied 250 2.6.0 Queued as ID1 (reasons: loop-guard: auto-generated, by
        X-Gatepost-Trigger: automatic [automatic-trigger]; loop-guard: ann@sender.example
        gets nothing: a machine writes from ann@sender.example, by Auto-Submitted:
        auto-generated [auto-generated]) (98 B)
    ");

    // To the null sender nothing is said.
    let mut client = relay.client("submission").authenticated("user", "secret");
    let message = format!("From: {DESK}\r\n{AUTOMATIC}\r\nHello!\r\n");
    taken(&client.deliver("", &[ANN], message.as_bytes()).unwrap());
    // Nor is anything said where it is not set, or nobody is suppressed.
    taken(&goes(&relay, AUTOMATIC, &["bob@other.example"]));
    assert_eq!(sink.take().to, ["bob@other.example"]);
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn the_reasons_stand_in_the_field_that_is_set() {
    for (set, told, untold) in [
        ("reasons = \"X-Why\"", Some("X-Why"), "X-Gatepost-Reasons"),
        ("reasons = false", None, "X-Gatepost-Reasons"),
    ] {
        let sink = Sink::start();
        let relay = crate::with_settings(&sink, "report = true");
        let relay = relay.with(&format!("[headers]\n{set}")).start();
        taken(&comes(&relay, "Auto-Submitted: auto-generated\r\n"));
        sink.take();
        taken(&goes(&relay, AUTOMATIC, &[ANN]));
        let notice = sink.take();
        assert_eq!(notice.header(untold), None, "{set}");
        let reasons = told.map(|name| notice.header(name).unwrap());
        assert!(
            reasons.is_none_or(|said| said.contains("loop-guard: ")),
            "{set}"
        );
        relay.leaves_nothing(sink);
    }
}
