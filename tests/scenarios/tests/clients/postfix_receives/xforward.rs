//! Postfix is told who sent a message to the relay, and as which transaction (XFORWARD). That it
//! would let the relay speak for another, too (XCLIENT), is left alone.

use test_support::{Client, Postfix, RelayBuilder, Sink};

use crate::{nothing_is_left, numbered};

#[test]
fn postfix_logs_client_and_transaction() {
    let sink = Sink::start();
    let authorized = "smtpd_authorized_xforward_hosts = 127.0.0.0/8\n\
                      smtpd_authorized_xclient_hosts = 127.0.0.0/8";
    let Some(postfix) = Postfix::with(sink.address(), authorized) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address())
        .replace("[delivery]", "[delivery]\nxforward-to = [\"127.0.0.0/8\"]")
        .start();
    let mut client = Client::greeted(relay.address("mx"));
    client.ehlo();
    let recipients = ["user@desk.example"];
    let reply = client.deliver("ann@sender.example", &recipients, &numbered(1));
    let id = reply.unwrap().transaction();
    sink.take();
    let line = postfix.logged("orig_client=");
    assert!(line.contains("orig_client=unknown[127.0.0.1]"), "{line}");
    assert!(line.contains(&format!("orig_queue_id={id}")), "{line}");
    drop(client);
    nothing_is_left(relay, postfix, sink);
}
