//! A replay answers a policy's look-ups as they were answered then: a partner that was one when the mail
//! came is one in the replay, whatever the directory says by now.

use std::fs;

use test_support::{Sink, another_version};

use crate::{guarded, send, two};

#[test]
fn a_partner_of_then_is_refused_in_a_replay() {
    let sink = Sink::start();
    let mut relay = guarded(&sink).with("[record]\nbodies = true").start();
    let (a, _) = two(&relay);
    relay.json(&["partner", "add", &a, "robot@partner.example"]);
    let help = "help@a.desk.test";
    let refused = send(
        &relay,
        "robot@partner.example",
        help,
        "From: robot@partner.example",
    );
    assert_eq!(refused.code, 550);
    let accepted = send(
        &relay,
        "ann@sender.example",
        help,
        "From: ann@sender.example",
    );
    assert_eq!(accepted.code, 250);
    sink.take();
    relay.json(&["partner", "remove", &a, "robot@partner.example"]);
    assert!(relay.terminate().success());

    // Each of its calls is made, with the answers of then.
    let module = relay.directory().join("another.wasm");
    fs::write(&module, another_version("partner-guard")).unwrap();
    let module = module.to_string_lossy();
    let diff = ["policy", "diff", &module, "--name", "partner-guard"];
    let compared = relay.json(&diff);
    let compared = &compared[0];
    assert_eq!(compared["changed"], 0, "{compared}");
    assert_eq!(compared["answered-now"], 0, "{compared}");
    assert!(compared["compared"].as_u64() >= Some(2), "{compared}");
    let id = refused.transaction();
    let shown = relay.command(&[&diff[..], &["--message", &id]].concat());
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("reject") && shown.contains("550"), "{shown}");
}
