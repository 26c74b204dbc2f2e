//! Mail of another help desk is accepted with the tag `suppress-automatic`; an agent's mail to
//! that help desk has the tag `to-help-desk`.

use test_support::{RelayBuilder, Sink};

use crate::{AGENT, ANN, AUTOMATIC, comes, goes, taken};

#[test]
fn another_help_desk_is_answered_by_people_alone() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let id = taken(&comes(&relay, "X-Gatepost-From-Account-Id: beta\r\n"));
    assert_eq!(
        sink.take().header("X-Gatepost-Tags").as_deref(),
        Some("suppress-automatic")
    );
    insta::assert_snapshot!(relay.trace_until(&id, "delivered"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <help@desk.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass (no machine may reply, by
        X-Gatepost-From-Account-Id: beta [desk-account]; from the help desk of
        ann@sender.example, account beta: no automatic notification; ann@sender.example is a
        machine's, by help desk: X-Gatepost-From-Account-Id: beta)
    judged header-guard DIGEST message: pass
    queued for <help@desk.example>
    replied 250 2.6.0 Queued as ID1 (116 B)
    judged outbound-route DIGEST route: pass
    attempt 1 for <help@desk.example> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");

    let id = taken(&goes(&relay, AUTOMATIC, &[ANN]));
    insta::assert_snapshot!(relay.trace_until(&id, "replied"), @"
    begun on submission from 127.0.0.1:PORT as user, TLSv1.3 TLS13_AES_256_GCM_SHA384
    sender <help@desk.example>: 250 2.1.0 Ok, transaction ID1
    recipient <ann@sender.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass (auto-generated, by X-Gatepost-Trigger: automatic
        [automatic-trigger]; ann@sender.example gets nothing: a machine writes from
        ann@sender.example, by help desk: X-Gatepost-From-Account-Id: beta)
    judged header-guard DIGEST message: pass
    suppressed <ann@sender.example>: a machine writes from ann@sender.example, by help desk:
        X-Gatepost-From-Account-Id: beta
    replied 250 2.6.0 Queued as ID1 (reasons: loop-guard: auto-generated, by
        X-Gatepost-Trigger: automatic [automatic-trigger]; loop-guard: ann@sender.example
        gets nothing: a machine writes from ann@sender.example, by help desk:
        X-Gatepost-From-Account-Id: beta) (98 B)
    ");
    let id = taken(&goes(&relay, AGENT, &[ANN]));
    assert_eq!(sink.take().to, [ANN]);
    let decision = &relay.judgements(&id)[0]["decision"];
    assert_eq!(decision["tags"][0], "to-help-desk", "{decision}");
    relay.leaves_nothing(sink);
}
