//! Connections of the configuration: their secrets come from files and the environment, a wrong one
//! is shown at its line, a reload changes them, and no answer has a secret.

use std::fs;

use test_support::{RelayBuilder, Sink};

const SITE: &str = r#"
[connection.relay]
profile = "postfix"
host = "smtp.relay.test"
user = "desk"
password = { file = "relay-password" }
egress = "bulk"

[connection.other]
host = "smtp.other.test"
user = "desk"
password = { env = "GATEPOST_TEST_PASSWORD" }

[egress.bulk]
addresses = ["127.0.0.1"]
"#;

const SECRETS: [&str; 2] = ["hush-of-the-file", "hush-of-the-environment"];

#[test]
fn the_sites_connections_are_read_shown_and_reloaded_without_their_secrets() {
    let sink = Sink::start();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("relay-password"), SECRETS[0]).unwrap();
    let relay = RelayBuilder::usual(sink.address())
        .with(SITE)
        .directory(folder.path())
        .environment("GATEPOST_TEST_PASSWORD", SECRETS[1])
        .start();
    let listed = relay.json(&["connection", "list"]);
    let names: Vec<_> = listed
        .iter()
        .map(|of| of["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["other", "relay"]);
    assert!(listed.iter().all(|of| of["account"].is_null()));
    let shown = relay.json(&["connection", "show", "relay"])[0].clone();
    assert_eq!(shown["settings"]["port"], 587);
    assert_eq!(shown["secrets"][0], "password");
    let words = relay.command(&["connection", "show", "relay"]);
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(words.contains("set in the configuration"), "{words}");
    let log = relay.log();
    for secret in SECRETS {
        assert!(
            ![&shown.to_string(), &words, &log]
                .iter()
                .any(|text| text.contains(secret))
        );
    }

    let config = folder.path().join("gatepost.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("smtp.relay.test", "smtp.new.test")).unwrap();
    relay.json(&["reload"]);
    let shown = relay.json(&["connection", "show", "relay"])[0].clone();
    assert_eq!(shown["settings"]["host"], "smtp.new.test");

    fs::write(
        &config,
        text.replace("host = \"smtp.relay.test\"", "port = 0"),
    )
    .unwrap();
    let refused = relay.command(&["reload"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    let told = told + &String::from_utf8_lossy(&refused.stdout);
    assert!(
        told.contains("connection relay: the host is missing"),
        "{told}"
    );
    assert!(told.contains("connection relay: the port is 0"), "{told}");
    fs::write(&config, text).unwrap();
    relay.leaves_nothing(sink);
}
