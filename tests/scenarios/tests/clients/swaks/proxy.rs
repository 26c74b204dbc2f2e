//! PROXY protocol v2, as swaks speaks it in a load balancer's place.

use test_support::{RelayBuilder, Sink};

use super::program::Swaks;
use crate::awkward;

#[test]
fn the_client_is_whom_the_header_names() {
    let Some(swaks) = Swaks::installed() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\nproxy-from = [\"127.0.0.1/32\"]",
        )
        .start();
    let arguments = [
        ["--from", "ann@sender.example"],
        ["--to", "user@desk.example"],
        ["--proxy-version", "2"],
        ["--proxy-family", "AF_INET"],
        ["--proxy-source", "192.0.2.7"],
        ["--proxy-source-port", "4711"],
        ["--proxy-dest", "127.0.0.1"],
        ["--proxy-dest-port", "25"],
    ];
    swaks
        .send(&relay, "mx", &awkward(), &arguments.concat())
        .accepted();
    let field = sink.take().header("Received").unwrap();
    assert!(
        field.starts_with("from client.example ([192.0.2.7])"),
        "{field}"
    );
    relay.leaves_nothing(sink);
}
