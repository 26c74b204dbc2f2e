//! Errors at the start name the thing that is wrong once, and what to do about it.

use std::net::TcpListener;

use test_support::{RelayBuilder, Sink, gatepost};

fn sink(arguments: &[&str]) -> String {
    let ran = gatepost().arg("sink").args(arguments).output();
    let ran = ran.unwrap();
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    String::from_utf8_lossy(&ran.stderr).into_owned()
}

#[test]
fn a_port_that_is_taken_is_told_once_and_with_advice() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let application = Sink::start();
    let relay = RelayBuilder::usual(application.address()).replace(
        "name = \"mx\"\n            address = \"127.0.0.1:0\"",
        &format!("name = \"mx\"\n            address = \"{address}\""),
    );
    for said in [
        relay.try_start().unwrap_err(),
        sink(&["--listen", &address]),
    ] {
        assert_eq!(said.matches("Address already in use").count(), 1, "{said}");
        assert!(
            said.contains(&address) && said.contains("`ss -ltnp`"),
            "{said}"
        );
    }
}

#[test]
fn a_folder_that_is_a_file_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let said = sink(&["--listen", "127.0.0.1:0", "--output", path]);
    assert!(said.contains(path), "{said}");
}
