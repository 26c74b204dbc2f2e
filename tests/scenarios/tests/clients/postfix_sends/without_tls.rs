//! A message that came to Postfix over SMTP goes on in plaintext if no TLS is offered, small and
//! large.

use test_support::{Postfix, Sink};

use crate::{messages_come, without_tls};

#[test]
fn messages_arrive_octet_for_octet_in_plaintext() {
    let sink = Sink::start();
    let relay = without_tls(&sink);
    let Some(postfix) = Postfix::start(relay.address("mx")) else {
        return;
    };
    messages_come(relay, &postfix, sink, "postfix.example", "ESMTP");
}
