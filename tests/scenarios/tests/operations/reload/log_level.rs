//! The level of the log changes at once.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted};

#[test]
fn a_reload_changes_the_log_level() {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address()).environment("RUST_LOG", "");
    let relay = builder.clone().start();
    accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    assert!(!relay.log().contains("DEBUG"), "{}", relay.log());
    relay.reloads(&builder.with("[log]\nlevel = \"debug\""));
    accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    relay.logged("DEBUG");
    relay.leaves_nothing(sink);
}
