//! The diagnosis of a message has all that the relay knows of it, and nothing of its body; an account's
//! token gets that of no other account.

use serde_json::Value;
use test_support::{RelayBuilder, Sink};

use crate::accepted;

const MESSAGE: &[u8] =
    b"From: Ann <ann@sender.example>\r\nSubject: parcel\r\n\r\nThe word is abracadabra.\r\n";

#[test]
fn a_diagnosis_has_everything_but_the_body() {
    let sink = Sink::with(&["--tempfail-first", "1000"]);
    let relay = RelayBuilder::usual(sink.address())
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .with("[api]\nlisten = \"127.0.0.1:0\"\n")
        .start();
    let id = accepted(&relay, &["x@desk.example"], MESSAGE);
    relay.eventually("it was tried", |relay| {
        (!relay.events(&id, "attempt").is_empty()).then_some(())
    });
    let output = relay.command(&["trace", &id, "--diagnosis"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("abracadabra"), "{text}");
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["id"], *id);
    assert_eq!(told["message"]["subject"], "parcel");
    assert_eq!(told["message"]["sender"], "ann@sender.example");
    let header = told["stored"]["header"].as_str().unwrap();
    assert!(header.contains("Subject: parcel"), "{header}");
    let waiting = &told["stored"]["waiting"][0]["reason"];
    assert!(waiting.is_string(), "{told}");
    let trace = told["trace"].as_array().unwrap();
    let has = |event: &str| trace.iter().any(|of| of["event"] == event);
    assert!(has("judged") && has("attempt"), "{told}");

    let path = format!("/messages/{id}/diagnosis");
    let token = relay.api_token("read", &[]);
    let over_http = relay.api("GET", &path, &token, &Value::Null);
    assert_eq!(over_http.with_status(200).body["trace"], told["trace"]);
    let add = [
        "account",
        "add",
        "--native-domain",
        "a.desk.test",
        "--product",
        "Desk",
    ];
    relay.json(&add);
    let of_account = relay.api_token("read", &["--account", "a.desk.test"]);
    let refused = relay.api("GET", &path, &of_account, &Value::Null);
    assert_eq!(refused.with_status(404).code(), "trace.unknown-transaction");
    let nobody = "/messages/01a204ae-42c8-72ad-a8c4-afe9ef61f201/diagnosis";
    let unknown = relay.api("GET", nobody, &token, &Value::Null);
    assert_eq!(unknown.with_status(404).code(), "trace.unknown-transaction");
}
