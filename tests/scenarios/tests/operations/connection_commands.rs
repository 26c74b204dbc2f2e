//! Connections of customers by command: added, changed, shown and removed, with a running relay and
//! without one, and their secret shown by none of it.

use std::fs;

use test_support::{RelayBuilder, Sink};

const PASSWORD: &str = "hush-hush-of-a-customer";

#[test]
fn a_connection_is_added_changed_shown_and_removed_without_its_secret() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).start();
    let account = ["--account", "acme.desk.test"];
    relay.json(&[
        "account",
        "add",
        "--native-domain",
        account[1],
        "--product",
        "Acme",
    ]);
    let connect = [
        "connector",
        "add",
        "--kind",
        "outbound-only",
        "--domain",
        "acme.test",
    ];
    relay.json(&[&connect[..], &account].concat());
    let secret = relay.directory().join("password");
    fs::write(&secret, format!("{PASSWORD}\n")).unwrap();
    let file = secret.to_str().unwrap();
    let on = |verb, rest: &[&'static str]| {
        [&["connection", verb, "outlook"], &account[..], rest].concat()
    };
    let mut add = on(
        "add",
        &["--profile", "microsoft-365", "--user", "desk@acme.test"],
    );
    add.extend(["--serves", "@acme.test", "--password-file", file]);
    let added = &relay.json(&add)[0];
    assert_eq!(added["settings"]["host"], "smtp.office365.com");
    assert_eq!(added["secrets"][0], "password");
    assert_eq!(added["status"]["state"], "working");

    let again = relay.command(&add);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&again.stderr).contains("there is a connection outlook already")
    );
    let set = relay.json(&on("set", &["--port", "2525"]));
    assert_eq!(set[0]["settings"]["port"], 2525);
    assert_eq!(set[0]["secrets"][0], "password", "what is not named stays");
    let wrong = relay.command(&on("set", &["--tls", "none"]));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("may not be encrypted"));
    let foreign = relay.command(&on("set", &["--serves", "@other.test"]));
    assert!(String::from_utf8_lossy(&foreign.stderr).contains("no sender of account"));

    // The same by a relay that was killed and started again, and on the store of a stopped one.
    relay.kill();
    relay.restart();
    let shown = relay.command(&on("show", &[]));
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("smtp.office365.com:2525") && shown.contains("set on"),
        "{shown}"
    );
    let json = relay.json(&on("show", &[]))[0].to_string();
    assert!(relay.terminate().success());
    let listed = relay.json(&["connection", "list"]);
    assert_eq!(listed[0]["name"], "outlook");
    assert_eq!(listed[0]["serves"][0], "@acme.test");
    for text in [
        &shown,
        &json,
        &added.to_string(),
        &listed[0].to_string(),
        &relay.log(),
    ] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
    let removed = relay.json(&on("remove", &[]));
    assert_eq!(removed[0]["done"], true);
    assert!(relay.json(&["connection", "list"]).is_empty());
    let gone = relay.command(&on("show", &[]));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("there is no connection outlook"));
}
