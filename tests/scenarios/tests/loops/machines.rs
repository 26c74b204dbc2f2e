//! A known machine gets no automatic mail until an operator forgets it or a person writes from
//! there.

use test_support::{RelayBuilder, Sink};

use crate::{ANN, AUTOMATIC, comes, goes, taken};

#[test]
fn a_machine_is_listed_with_its_evidence_and_forgotten() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).start();
    assert_eq!(relay.json(&["machine", "list"]).len(), 0);
    taken(&comes(&relay, "Auto-Submitted: auto-generated\r\n"));
    assert_eq!(
        sink.take().header("X-Gatepost-Tags").as_deref(),
        Some("suppress-automatic")
    );

    // On disk with the message: the next relay on this store knows it, too.
    relay.eventually("it is delivered", |relay| {
        relay
            .json(&["queue", "list", "--messages"])
            .is_empty()
            .then_some(())
    });
    relay.kill();
    relay.restart();
    let listed = relay.json(&["machine", "list", "acme"]);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["address"], ANN);
    assert_eq!(listed[0]["account"], "acme");
    assert_eq!(
        listed[0]["evidence"],
        "Auto-Submitted: auto-generated [auto-generated]"
    );
    let (since, until) = (listed[0]["since"].as_u64(), listed[0]["until"].as_u64());
    // Nobody has looked into who wrote it: so it holds no longer than for an automatic answer.
    assert_eq!(until.unwrap() - since.unwrap(), 3_600_000);
    assert_eq!(relay.json(&["machine", "list", "other"]).len(), 0);

    // To all but the machine, and nothing is queued for it.
    let id = taken(&goes(
        &relay,
        AUTOMATIC,
        &["Ann+tickets@sender.example", "bob@other.example"],
    ));
    assert_eq!(sink.take().to, ["bob@other.example"]);
    insta::assert_snapshot!(relay.trace_until(&id, "delivered"), @"
    begun on submission from 127.0.0.1:PORT as user, TLSv1.3 TLS13_AES_256_GCM_SHA384
    sender <help@desk.example>: 250 2.1.0 Ok, transaction ID1
    recipient <Ann+tickets@sender.example>: 250 2.1.5 Recipient OK
    recipient <bob@other.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass (auto-generated, by X-Gatepost-Trigger: automatic
        [automatic-trigger]; Ann+tickets@sender.example gets nothing: a machine writes from
        ann@sender.example, by Auto-Submitted: auto-generated [auto-generated])
    judged header-guard DIGEST message: pass
    suppressed <Ann+tickets@sender.example>: a machine writes from ann@sender.example, by
        Auto-Submitted: auto-generated [auto-generated]
    queued for <bob@other.example>
    replied 250 2.6.0 Queued as ID1 (reasons: loop-guard: auto-generated, by
        X-Gatepost-Trigger: automatic [automatic-trigger]; loop-guard:
        Ann+tickets@sender.example gets nothing: a machine writes from ann@sender.example,
        by Auto-Submitted: auto-generated [auto-generated]) (98 B)
    judged outbound-route DIGEST route: pass
    attempt 1 for <bob@other.example> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");
    let id = taken(&goes(&relay, AUTOMATIC, &[ANN]));
    insta::assert_snapshot!(relay.trace_until(&id, "replied"), @"
    begun on submission from 127.0.0.1:PORT as user, TLSv1.3 TLS13_AES_256_GCM_SHA384
    sender <help@desk.example>: 250 2.1.0 Ok, transaction ID1
    recipient <ann@sender.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass (auto-generated, by X-Gatepost-Trigger: automatic
        [automatic-trigger]; ann@sender.example gets nothing: a machine writes from
        ann@sender.example, by Auto-Submitted: auto-generated [auto-generated])
    judged header-guard DIGEST message: pass
    suppressed <ann@sender.example>: a machine writes from ann@sender.example, by
        Auto-Submitted: auto-generated [auto-generated]
    replied 250 2.6.0 Queued as ID1 (reasons: loop-guard: auto-generated, by
        X-Gatepost-Trigger: automatic [automatic-trigger]; loop-guard: ann@sender.example
        gets nothing: a machine writes from ann@sender.example, by Auto-Submitted:
        auto-generated [auto-generated]) (98 B)
    ");

    let forgotten = relay.json(&["machine", "forget", "acme", "Ann+any@SENDER.example"]);
    assert_eq!(forgotten[0]["done"], true);
    relay.refuses(&["machine", "forget", "acme", ANN]);
    taken(&goes(&relay, AUTOMATIC, &[ANN]));
    assert_eq!(sink.take().to, [ANN]);
    relay.leaves_nothing(sink);
}

#[test]
fn a_person_who_writes_from_a_machines_address_is_believed() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    taken(&comes(&relay, "Auto-Submitted: auto-generated\r\n"));
    sink.take();
    taken(&comes(&relay, "Subject: It is me\r\n"));
    assert_eq!(sink.take().header("X-Gatepost-Tags"), None);
    assert_eq!(relay.json(&["machine", "list"]).len(), 0);
    taken(&goes(&relay, AUTOMATIC, &[ANN]));
    sink.take();
    relay.leaves_nothing(sink);
}
