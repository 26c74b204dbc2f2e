//! A message from the null sender that cannot be delivered is given up without a word: what would
//! be sent is a bounce about a bounce (RFC 5321 section 4.5.5).

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
    let attempt = relay.eventually("the attempt is on record", |relay| {
        relay.events(&id, "attempt").pop()
    });
    assert_eq!(attempt["ending"], "failed");
    assert_eq!(relay.events(&id, "bounced").len(), 0);
    relay.leaves_nothing(sink);
}
