//! A message that waits is told of once, at the time of `delay-notice`, with how long it will be
//! tried; queue and trace know that its sender has been told.

use test_support::{RelayBuilder, Sink};

use super::{Notice, submit};
use crate::MESSAGE;

#[test]
fn the_sender_is_told_of_a_delay() {
    let sink = Sink::with(&["--tempfail-first", "2"]);
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "retry = [\"1s\"]",
            "retry = [\"1h\"]\ndelay-notice = \"1s\"",
        )
        .start();
    // The first attempt is made at once, the second when the sender is to be told.
    let id = submit(&relay, "", "x@desk.example", "", MESSAGE);
    let taken = sink.take();
    assert_eq!(
        (taken.from.as_str(), taken.to[0].as_str()),
        ("", "ann@sender.example")
    );
    let notice = Notice::read(&taken.bytes());
    assert_eq!(notice.subject, "Delayed");
    assert!(
        notice.text.contains("It will be tried until "),
        "{}",
        notice.text
    );
    for field in ["Action: delayed\r\n", "Status: 4.", "Will-Retry-Until: "] {
        assert!(notice.status.contains(field), "{field}: {}", notice.status);
    }

    let notified = relay.eventually("it is on record", |relay| {
        relay.events(&id, "notified").pop()
    });
    assert_eq!(notified["of"], "delayed");
    assert_eq!(notified["recipients"][0], "x@desk.example");
    let shown = relay.command(&["queue", "show", &id]).stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.contains("2 attempts, sender told of the delay"),
        "{shown}"
    );
    let json = &relay.json(&["queue", "show", &id])[0];
    assert_eq!(json["recipients"][0]["delay-told"], true);

    // The third attempt gets through; there is nothing more to tell.
    relay.json(&["queue", "retry", &id]);
    assert_eq!(sink.take().to, ["x@desk.example"]);
    relay.leaves_nothing(sink);
}

#[test]
fn never_turns_delay_notices_off() {
    let sink = Sink::with(&["--tempfail-first", "1"]);
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "retry = [\"1s\"]",
            "retry = [\"1s\"]\ndelay-notice = \"never\"",
        )
        .start();
    submit(&relay, "", "x@desk.example", " NOTIFY=DELAY", MESSAGE);
    assert_eq!(sink.take().to, ["x@desk.example"]);
    relay.leaves_nothing(sink);
}
