//! A server that says 421 gets nothing for a while, and its reply is kept where operators look.

use crate::{MESSAGE, relay, server, submitted, waits, zone};
use test_support::DnsServer;

const TOO_MUCH: &str = "
    [[on]]
    command = 'MAIL'
    reply = '421 4.3.2 too busy for you'
";

#[test]
fn a_server_with_too_much_gets_nothing_for_a_while() {
    let server = server(TOO_MUCH);
    let dns = DnsServer::start(zone(&[(10, 2)]));
    let relay = relay(&dns, server.address().port()).start();
    let first = submitted(&relay, &["x@b.example"], MESSAGE);
    waits(&relay, &first, "421 4.3.2 too busy for you");

    // Another message for it is not even begun.
    let second = submitted(&relay, &["y@b.example"], MESSAGE);
    let reason = relay.eventually("it waits for the server", |relay| {
        let shown = relay.json(&["queue", "show", &second]).remove(0);
        let waiting = shown["waiting"][0]["reason"].as_str()?.to_owned();
        waiting.contains("closed until").then_some((waiting, shown))
    });
    let (reason, shown) = reason;
    assert!(
        reason.starts_with("mx:b.example is closed until "),
        "{reason}"
    );
    assert_eq!(shown["recipients"][0]["attempts"], 0, "{shown}");
    // The reason is what the server said to the other one, and when.
    let of_destination = &shown["waiting"][0]["destination-reply"];
    assert_eq!(of_destination["reply"]["code"], 421, "{shown}");
    assert!(of_destination["at"].as_u64().unwrap() > 1_700_000_000_000);
    let words = "that destination got 421 4.3.2 too busy for you";
    assert!(
        reason.contains("; at 20") && reason.contains(words),
        "{reason}"
    );

    let listed = relay.json(&["queue", "list"]).remove(0);
    assert_eq!(listed["destination"], "mx:b.example");
    assert_eq!(
        (&listed["recipients"], &listed["messages"]),
        (&2.into(), &2.into())
    );
    assert_eq!(listed["last-reply"]["code"], 421, "{listed}");
    let output = relay.command(&["queue", "list"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        told.contains("mx:b.example") && told.contains("421 4.3.2 too busy"),
        "{told}"
    );
    let said = server.dialogue();
    assert_eq!(said.matches("MAIL FROM").count(), 1, "{said}");
}
