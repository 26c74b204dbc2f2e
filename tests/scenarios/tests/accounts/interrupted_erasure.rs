//! An erasure of a correspondent that the end of the process interrupts is repeated on the store, without
//! a relay; an entry of the suppression list stays if it is to.

use std::path::PathBuf;

use serde_json::json;
use test_support::Sink;

use crate::store_files::holding;
use crate::{NATIVE, Site};

const ANN: &str = "ann@quuxnarf.test";

#[test]
fn what_was_interrupted_is_erased_by_the_same_command() {
    let mut site = Site::towards(Sink::start(), &[]);
    site.relay
        .json(&["account", "hold", NATIVE, "--reason", "holidays"]);
    for _ in 0..20 {
        site.submit(&[ANN, "bob@world.test"], "hello");
    }
    let add = [
        "suppression",
        "add",
        NATIVE,
        ANN,
        "--reason",
        "asked by ann@quuxnarf.test",
    ];
    site.relay.json(&add);
    let asked = json!({ "operation": "correspondent-erase", "request": { "correspondent": ANN, "keep-suppression": true } });
    let answer = site.relay.ask(&asked);
    assert_eq!(answer["answer"]["state"], "running", "{answer}");
    site.relay.kill();
    let erase = ["correspondent", "erase", ANN, "--keep-suppression", "--yes"];
    let states = site.relay.json(&erase);
    let last = states.last().unwrap();
    assert_eq!(last["state"], "complete", "{last}");
    let erase = ["correspondent", "erase", ANN, "--account", NATIVE, "--yes"];
    let mut holders = holding(&site.relay, ANN);
    holders.retain(|file| !file.to_string_lossy().contains("spool.db"));
    assert_eq!(holders, [] as [PathBuf; 0]);
    site.relay.restart();
    let listed = site.relay.json(&["suppression", "list", NATIVE]);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(
        (&listed[0]["cause"], &listed[0]["evidence"]),
        (&json!("operator"), &json!(""))
    );
    let queued = site.relay.json(&["queue", "list", "--messages"]);
    assert_eq!(queued.len(), 20);
    for message in &queued {
        let recipients = message["recipients"].as_array().unwrap();
        assert_eq!(recipients.len(), 1, "{message}");
        assert_eq!(recipients[0]["address"], "bob@world.test");
    }
    site.relay.json(&erase);
    assert_eq!(holding(&site.relay, ANN), [] as [PathBuf; 0]);
    for message in &queued {
        site.relay
            .json(&["queue", "cancel", message["id"].as_str().unwrap()]);
    }
    site.ends();
}
