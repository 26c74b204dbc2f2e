//! A relay that crashes leaves no core dump, in which passwords, keys and mail would stand: its
//! limit is 0 (proc(5), /proc/PID/limits).

use std::fs;

use test_support::{RelayBuilder, Sink};

#[test]
fn core_dumps_are_not_left() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let limits = fs::read_to_string(format!("/proc/{}/limits", relay.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core"));
    let fields: Vec<_> = core.unwrap().split_whitespace().collect();
    assert_eq!(fields[4..6], ["0", "0"], "{fields:?}");
    relay.leaves_nothing(sink);
}
