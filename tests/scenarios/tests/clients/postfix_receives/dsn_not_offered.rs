//! Postfix does not offer DSN: the relay itself tells a sender who wants to hear of success that
//! the message was handed on (RFC 3461 section 5.2.2).

use test_support::{Postfix, RelayBuilder, Sink};

use crate::nothing_is_left;
use crate::notifications::{MORE, NEVER, ask};

#[test]
fn the_relay_tells_that_it_was_handed_on() {
    let sink = Sink::start();
    let without = "smtpd_discard_ehlo_keywords = dsn, silent-discard";
    let Some(postfix) = Postfix::with(sink.address(), without) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    ask(relay.address("mx"), &[MORE, NEVER]);
    let mut taken = [sink.take(), sink.take()];
    taken.sort_by_key(|taken| taken.from.is_empty());
    let [message, notice] = taken;
    assert_eq!(message.dsn, "");
    assert_eq!(notice.to, ["ann@sender.example"]);
    let report = notice.text();
    for line in [
        "Original-Envelope-Id: QQ+314159",
        "Original-Recipient: rfc822;first+x@desk.example",
        "Final-Recipient: rfc822;more@desk.example",
        "Action: relayed",
    ] {
        let found = report
            .replace("; ", ";")
            .contains(&format!("\r\n{line}\r\n"));
        assert!(found, "{line}: {report}");
    }
    assert!(!report.contains("never@desk.example"), "{report}");
    nothing_is_left(relay, postfix, sink);
}
