//! A fixture can be made of a recorded call of each hook, and decides as that call did.

use std::fs;

use test_support::{Sink, hostile_file, run};

use crate::Guest;

const MESSAGE: &[u8] = b"From: Annabel <annabel@gardening.example>\r\n\
    To: Helpers <help@desk.example>, Sales <sales@desk.example>\r\n\
    Subject: Greenhouse heating\r\n\
    \r\n\
    Hello!\r\n";

/// Hooks, each with the reason that the fixture expects: that of the record, with stand-ins for persons.
const HOOKS: [(&str, &str); 6] = [
    ("connect", "connect to mx"),
    ("sender", "sender person1@domain1.example"),
    ("recipient", "recipient sales@desk.example after 1 others"),
    (
        "message",
        "message for help@desk.example sales@desk.example",
    ),
    (
        "route",
        "route of sales@desk.example after 0 attempts, tagged told, by xxxxxx 1 <person1@domain1.example>",
    ),
    ("outcome", "outcome Delivered for sales@desk.example"),
];

#[test]
fn each_hook_gives_a_fixture_that_decides_as_its_record() {
    let sink = Sink::start();
    let guest = Guest::new("tells_each_hook");
    let mut relay = guest.relay(&sink).with("[record]\nbodies = true").start();
    let mut client = relay.client("mx");
    client.ehlo();
    let recipients = ["help@desk.example", "sales@desk.example"];
    let reply = client.deliver("annabel@gardening.example", &recipients, MESSAGE);
    let id = reply.unwrap().transaction();
    sink.take();
    drop(client);
    relay.eventually("each outcome is on record", |relay| {
        let judgements = relay.judgements(&id);
        let outcomes = judgements.iter().filter(|of| of["hook"] == "outcome");
        (outcomes.count() == 2).then_some(())
    });
    assert!(relay.terminate().success());

    let folder = relay.directory().join("fixtures-of-records");
    let module = hostile_file("tells_each_hook");
    let (folder, module) = (folder.to_str().unwrap(), module.to_str().unwrap());
    let test = ["policy", "test", folder, "--module", module];
    for (hook, reason) in HOOKS {
        let of = [
            "--from-record",
            &id,
            "--policy",
            "guest",
            "--hook",
            hook,
            "--fixture",
            hook,
        ];
        let output = relay.command(&[&test[..], &of].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{hook}: {told}");
        assert!(!told.contains("otherwise"), "{hook}: {told}");
        let toml = fs::read_to_string(format!("{folder}/{hook}.toml")).unwrap();
        assert!(toml.contains(reason), "{hook}: {toml}");
        for word in ["annabel", "gardening", "greenhouse"] {
            assert!(!toml.to_lowercase().contains(word), "{word} in {toml}");
        }
    }
    let output = run(&test);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("6 passed; 0 failed"), "{text}");
}
