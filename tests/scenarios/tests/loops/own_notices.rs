//! The relay's own bounces have the tag `suppress-automatic`; an application that ignores it is
//! stopped after the first.

use test_support::{RelayBuilder, Sink};

use crate::{AGENT, AUTOMATIC, DESK, enter, submit, taken};

#[test]
fn a_bounce_is_tagged_and_nothing_automatic_goes_where_it_came_from() {
    let sink = Sink::with(&["--fail-rcpt", "nosuch@"]);
    // An address on the suppression list would be refused before any policy is asked.
    let relay = RelayBuilder::usual(sink.address())
        .with("[suppression]\nrecord = false")
        .start();
    let gone = "nosuch@customer.example";
    let message = |trigger: &str| {
        format!("{trigger}From: {DESK}\r\nSubject: Your ticket\r\n\r\nIt was updated.\r\n")
    };
    taken(&submit(&relay, DESK, &[gone], &message(AUTOMATIC)));
    let bounce = sink.take();
    assert_eq!(
        (bounce.from.as_str(), &bounce.to[..]),
        ("", &[DESK.to_owned()][..])
    );
    let tag = bounce.header("X-Gatepost-Tags");
    assert_eq!(tag.as_deref(), Some("suppress-automatic"));

    let id = taken(&submit(&relay, DESK, &[gone], &message(AUTOMATIC)));
    insta::assert_snapshot!(relay.trace_until(&id, "replied"), @"
    begun on submission from 127.0.0.1:PORT as user, TLSv1.3 TLS13_AES_256_GCM_SHA384
    sender <help@desk.example>: 250 2.1.0 Ok, transaction ID1
    recipient <nosuch@customer.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass (auto-generated, by X-Gatepost-Trigger: automatic
        [automatic-trigger]; nosuch@customer.example gets nothing: a machine writes from
        nosuch@customer.example, by mail to it was refused: 550 5.1.1 the sink refuses this
        recipient as told)
    judged header-guard DIGEST message: pass
    suppressed <nosuch@customer.example>: a machine writes from nosuch@customer.example, by
        mail to it was refused: 550 5.1.1 the sink refuses this recipient as told
    replied 250 2.6.0 Queued as ID1 (reasons: loop-guard: auto-generated, by
        X-Gatepost-Trigger: automatic [automatic-trigger]; loop-guard:
        nosuch@customer.example gets nothing: a machine writes from nosuch@customer.example,
        by mail to it was refused: 550 5.1.1 the sink refuses this recipient as told) (97 B)
    ");

    // An agent may try, and hears of it.
    taken(&submit(&relay, DESK, &[gone], &message(AGENT)));
    assert_eq!(sink.take().from, "");
    // And who writes from there is read.
    let alive = format!("From: {gone}\r\nTo: {DESK}\r\nSubject: I am back\r\n\r\nHello!\r\n");
    taken(&enter(&relay, gone, &alive));
    sink.take();
    assert_eq!(relay.json(&["machine", "list"]).len(), 0);
    relay.leaves_nothing(sink);
}
