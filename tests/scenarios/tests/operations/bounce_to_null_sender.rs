//! An undeliverable message from the null sender is given up without a bounce, which would be a
//! bounce about a bounce (RFC 5321 section 4.5.5).

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn no_bounce_goes_to_a_null_reverse_path() {
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver("", &["gone@desk.example"], MESSAGE).unwrap();
    assert_eq!(reply.code, 250);
    drop(client);
    let id = reply.transaction();
    insta::assert_snapshot!(relay.trace_until(&id, "failed"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <>: 250 2.1.0 Ok, transaction ID1
    recipient <gone@desk.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass (bounce, by MAIL FROM: null reverse-path
        [null-reverse-path])
    judged header-guard DIGEST message: pass
    queued for <gone@desk.example>
    replied 250 2.6.0 Queued as ID1 (58 B)
    attempt 1 for <gone@desk.example> at 127.0.0.1:PORT: failed: 550 5.1.1 the sink refuses
        this recipient as told
    ");
    relay.leaves_nothing(sink);
}
