//! A service manager that waits for it is told when the relay is ready, and when it stops.

use std::os::unix::net::UnixDatagram;

use test_support::{PATIENCE, RelayBuilder, Sink};

use crate::CHAIN;

#[test]
fn the_service_manager_hears_of_ready_and_of_stopping() {
    let sink = Sink::start();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let heard = || {
        let mut octets = [0; 100];
        let length = socket.recv(&mut octets).unwrap();
        String::from_utf8(octets[..length].to_vec()).unwrap()
    };
    let mut relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, "chain = []")
        .environment("NOTIFY_SOCKET", path.to_string_lossy())
        .start();
    assert_eq!(heard(), "READY=1");
    assert!(relay.terminate().success());
    assert_eq!(heard(), "STOPPING=1");
}

#[test]
fn a_service_manager_that_is_gone_stops_no_relay() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, "chain = []")
        .environment("NOTIFY_SOCKET", "/nonexistent/notify")
        .start();
    relay.logged("cannot tell the service manager");
    assert!(relay.terminate().success());
}
