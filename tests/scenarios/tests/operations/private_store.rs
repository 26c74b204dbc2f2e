//! Mail is private: the store that the relay makes can be entered by its owner only, whatever the
//! umask, and so can its databases be read.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use test_support::{RelayBuilder, Sink};

use crate::{CHAIN, MESSAGE, accepted};

#[test]
fn only_the_owner_can_read_the_store() {
    let sink = Sink::start();
    // With a table of its own the store is made by the relay, and not by the harness.
    let relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, "chain = []")
        .with("[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\nmin-free = \"1MiB\"\n")
        .start();
    let large = [MESSAGE, &b"and so on\r\n".repeat(100_000)].concat();
    accepted(&relay, &["x@desk.example"], &large);

    let store = relay.directory().join("store");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&store), 0o700);
    let mut databases = 0;
    for entry in fs::read_dir(&store).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            assert_eq!(mode(&path), 0o700, "{name}");
        } else if name.contains(".db") || ["control.sock", "key-ring"].contains(&&*name) {
            assert_eq!(mode(&path), 0o600, "{name}");
            databases += 1;
        }
    }
    let files = "four databases of three files, the socket and the key ring";
    assert_eq!(databases, 14, "{files}");
    sink.take();
    relay.eventually("the delivery is recorded", |relay| {
        relay
            .json(&["queue", "list", "--messages"])
            .is_empty()
            .then_some(())
    });
    relay.leaves_nothing(sink);
}
