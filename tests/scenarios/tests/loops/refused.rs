//! With `suppress = "reject"`, recipients that get nothing automatic are refused.

use test_support::Sink;

use crate::{ANN, AUTOMATIC, comes, goes, taken};

#[test]
fn all_recipients_are_refused_by_reply_and_some_by_bounce() {
    let sink = Sink::start();
    let relay = crate::with_settings(&sink, "suppress = \"reject\"").start();
    taken(&comes(&relay, "Auto-Submitted: auto-generated\r\n"));
    sink.take();
    let reply = goes(&relay, AUTOMATIC, &[ANN]);
    assert_eq!((reply.code, reply.enhanced()), (550, Some("5.7.1")));
    insta::assert_snapshot!(relay.trace_until(&reply.transaction(), "replied"), @"
    begun on submission from 127.0.0.1:PORT as user, TLSv1.3 TLS13_AES_256_GCM_SHA384
    sender <help@desk.example>: 250 2.1.0 Ok, transaction ID1
    recipient <ann@sender.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass (auto-generated, by X-Gatepost-Trigger: automatic
        [automatic-trigger]; ann@sender.example gets nothing: a machine writes from
        ann@sender.example, by Auto-Submitted: auto-generated [auto-generated])
    judged header-guard DIGEST message: pass
    replied 550 5.7.1 Nothing automatic is sent to this recipient (ID1) (98 B)
    ");

    let id = taken(&goes(&relay, AUTOMATIC, &[ANN, "bob@other.example"]));
    let mut arrived = [sink.take(), sink.take()];
    arrived.sort_by_key(|one| one.from.clone());
    let [bounce, message] = arrived;
    assert_eq!(message.to, ["bob@other.example"]);
    assert!(
        bounce.from.is_empty() && bounce.text().contains(ANN),
        "{}",
        bounce.text()
    );
    insta::assert_snapshot!(relay.trace_until(&id, "delivered"), @"
    begun on submission from 127.0.0.1:PORT as user, TLSv1.3 TLS13_AES_256_GCM_SHA384
    sender <help@desk.example>: 250 2.1.0 Ok, transaction ID1
    recipient <ann@sender.example>: 250 2.1.5 Recipient OK
    recipient <bob@other.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass (auto-generated, by X-Gatepost-Trigger: automatic
        [automatic-trigger]; ann@sender.example gets nothing: a machine writes from
        ann@sender.example, by Auto-Submitted: auto-generated [auto-generated])
    judged header-guard DIGEST message: pass
    bounced the sender is told of <ann@sender.example> in ID2
    recipient <ann@sender.example>: 550 5.7.1 Nothing automatic is sent to this recipient
    queued for <bob@other.example>
    replied 250 2.6.0 Queued as ID1 (reasons: loop-guard: auto-generated, by
        X-Gatepost-Trigger: automatic [automatic-trigger]; loop-guard: ann@sender.example
        gets nothing: a machine writes from ann@sender.example, by Auto-Submitted:
        auto-generated [auto-generated]) (98 B)
    judged outbound-route DIGEST route: pass
    attempt 1 for <bob@other.example> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");
    relay.leaves_nothing(sink);
}
