//! Times that stand for themselves: how long what happened is known, when intake stops, and how
//! long a stop may take.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted, send};

#[test]
fn a_reload_shortens_the_retention_of_the_trace() {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address());
    let relay = builder.clone().start();
    let id = accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    assert!(!relay.trace(&id).is_empty());
    relay.reloads(&builder.with("[trace]\nevents = 1"));
    // The last event is kept, whosever it is.
    accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    relay.eventually("it is forgotten", |relay| {
        (!relay.command(&["trace", &id]).status.success()).then_some(())
    });
    relay.leaves_nothing(sink);
}

#[test]
fn a_reload_changes_the_room_at_which_intake_stops() {
    const RELAY: &str = "[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\n";
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address()).with(RELAY);
    let relay = builder.clone().with("min-free = \"1MiB\"").start();
    accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    relay.reloads(&builder.clone().with("min-free = \"1000TiB\""));
    assert_eq!(send(&relay, &["x@desk.example"], MESSAGE).code, 452);
    relay.reloads(&builder.with("min-free = \"1MiB\""));
    accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    relay.leaves_nothing(sink);
}

/// `drain`: a client that does not come to its end is cut off then.
#[test]
fn a_reload_changes_the_time_of_a_drain() {
    const RELAY: &str = "[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\n";
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address()).with(RELAY);
    let mut relay = builder.clone().with("drain = \"1h\"").start();
    relay.reloads(&builder.with("drain = \"50ms\""));
    let mut sending = relay.client("mx");
    sending.ehlo();
    sending.command("MAIL FROM:<ann@sender.example>", 250);
    sending.command("RCPT TO:<x@desk.example>", 250);
    sending.command("DATA", 354);
    assert!(relay.terminate().success());
    relay.logged("sessions cut off");
}
