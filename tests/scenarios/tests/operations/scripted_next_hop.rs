//! A next hop that follows a script refuses the second recipient once, and ends the second
//! connection in the middle of the message; the relay delivers both in the end, each once.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted};

const SCRIPT: &str = "
    [[on]]
    command = 'RCPT'
    match = 'y@*'
    times = 1
    reply = '450 4.2.1 not yet'
    [[on]]
    command = 'CONTENT'
    match = 'Received:*'
    after = 1
    times = 1
    then = 'close'
";

#[test]
fn a_scripted_next_hop_does_what_its_script_says() {
    let sink = Sink::scripted(SCRIPT, &[]);
    let relay = RelayBuilder::usual(sink.address()).start();
    let id = accepted(&relay, &["x@desk.example", "y@desk.example"], MESSAGE);
    assert_eq!(sink.take().to, ["x@desk.example"]);
    assert_eq!(sink.take().to, ["y@desk.example"]);
    let trace = relay.trace_until(&id, "taken as 2");
    assert!(
        trace.contains("deferred until TIME: 450 4.2.1 not yet"),
        "{trace}"
    );
    sink.spoken("the script closes the connection");
    relay.leaves_nothing(sink);
}
