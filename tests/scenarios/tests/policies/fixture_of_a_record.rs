//! `gatepost policy test --from-record` makes a fixture of a recorded message, without what is of
//! persons in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use test_support::{Relay, RelayBuilder, Sink, run};

const SENDER: &str = "annabel.weatherby@gardening.example";

const ANSWER: &str = "From: Helpers <help@desk.example>\r\n\
    To: annabel.weatherby@gardening.example\r\n\
    Subject: Greenhouse heating\r\n\
    Message-ID: <ticket.1@desk.example>\r\n\
    \r\n\
    Your orchids are frozen.\r\n";

const AUTOMATIC: &str = "From: \"Weatherby, Annabel\" <annabel.weatherby@gardening.example>\r\n\
    To: Helpers <help@desk.example>\r\n\
    Subject: Automatic reply: Greenhouse heating\r\n\
    Message-ID: <rosebush.2@gardening.example>\r\n\
    Auto-Submitted: auto-replied\r\n\
    \r\n\
    Annabel Weatherby is among her orchids until Monday.\r\n";

/// Words of the messages that say something of persons.
const PERSONAL: [&str; 12] = [
    "annabel",
    "weatherby",
    "gardening",
    "helpers",
    "greenhouse",
    "heating",
    "rosebush",
    "orchid",
    "frozen",
    "among",
    "until",
    "monday",
];

/// Sends an answer, takes the automatic reply to it, and ends the relay, so that all is in the record.
/// Returns the id of the reply, and a folder for fixtures.
fn recorded(record: &str) -> (Relay, String, PathBuf) {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).with(record).start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    let answer = client.deliver("help@desk.example", &[SENDER], ANSWER.as_bytes());
    assert_eq!(answer.unwrap().code, 250);
    sink.take();
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver(SENDER, &["help@desk.example"], AUTOMATIC.as_bytes());
    let id = reply.unwrap().transaction();
    sink.take();
    assert!(relay.terminate().success());
    let fixtures = relay.directory().join("fixtures-of-records");
    (relay, id, fixtures)
}

fn from_record(relay: &Relay, id: &str, fixtures: &Path, more: &[&str]) -> Output {
    let folder = fixtures.to_str().unwrap();
    let test = [
        "policy",
        "test",
        folder,
        "--module",
        "loop-guard",
        "--from-record",
        id,
    ];
    relay.command(&[&test[..], more].concat())
}

/// Returns what was told on standard error, without the breaks of its lines.
fn errors(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).replace('│', " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_fixture_decides_as_the_record_and_says_nothing_of_persons() {
    let (relay, id, fixtures) = recorded("[record]\nbodies = true");
    let output = from_record(&relay, &id, &fixtures, &["--fixture", "away"]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let file = |ending: &str| fs::read_to_string(fixtures.join(format!("away.{ending}"))).unwrap();
    let (toml, eml) = (file("toml"), file("eml"));
    for word in PERSONAL {
        for text in [&toml, &eml] {
            assert!(!text.to_lowercase().contains(word), "{word} in {text}");
        }
    }
    for part in [
        "mail-from = \"person1@domain1.example\"",
        "rcpt-to = [\"help@desk.example\"]",
        "class = \"auto-replied\"",
        "\"count 1 in person1@domain1.example\"",
        // The answer that went out before was counted, and the policy asked for it.
        "\n\"out person1@domain1.example\" = [{ ago = ",
    ] {
        assert!(toml.contains(part), "{part} in {toml}");
    }
    for part in [
        "<person1@domain1.example>\r\n",
        "Subject: Automatic reply: xxxxxxxxxx xxxxxxx\r\n",
        "Auto-Submitted: auto-replied\r\n",
        "\r\n\r\nxxxxxxx xxxxxxxxx xx xxxxx xxx xxxxxxx xxxxx xxxxxx.\r\n",
    ] {
        assert!(eml.contains(part), "{part} in {eml}");
    }

    let test = [
        "policy",
        "test",
        fixtures.to_str().unwrap(),
        "--module",
        "loop-guard",
    ];
    let output = run(&test);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed; 0 failed"), "{text}");

    let output = from_record(&relay, &id, &fixtures, &["--fixture", "away"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors(&output).contains("is there already"),
        "{}",
        errors(&output)
    );
    assert_eq!(file("toml"), toml);
    let output = from_record(&relay, &id, &fixtures, &["--hook", "connect"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors(&output).contains("no call of loop-guard"),
        "{}",
        errors(&output)
    );
    let other = "00000000-0000-7000-8000-000000000000";
    let output = from_record(&relay, other, &fixtures, &[]);
    let told = errors(&output);
    assert!(
        told.contains(&format!("has no transaction {other}")),
        "{told}"
    );
    assert!(!told.contains("record mail with the table"), "{told}");
}

#[test]
fn a_body_that_was_not_recorded_is_one_of_x() {
    let (relay, id, fixtures) = recorded("[record]");
    let output = from_record(&relay, &id, &fixtures, &[]);
    assert!(
        errors(&output).contains("the record has no body"),
        "{}",
        errors(&output)
    );
    let end = id.rsplit('-').next().unwrap();
    let eml = fs::read_to_string(fixtures.join(format!("recorded-{end}.eml"))).unwrap();
    let (_, body) = eml.split_once("\r\n\r\n").unwrap();
    let (_, recorded) = AUTOMATIC.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len(), recorded.len());
    assert_eq!(body.trim_end().replace('x', ""), "");
}
