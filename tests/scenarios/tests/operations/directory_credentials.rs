//! A secret is shown once, and what is kept of it is no secret.

use std::fs;

use test_support::{RelayBuilder, Sink};

#[test]
fn a_credential_is_made_listed_cancelled_and_forgotten() {
    let sink = Sink::start();
    let usual = RelayBuilder::usual(sink.address());
    let relay = usual
        .clone()
        .with("[directory]\nkey-ring = \"keys\"")
        .start();
    let native = ["--native-domain", "acme.desk.test", "--product", "Acme"];
    relay.json(&[&["account", "add"], &native[..]].concat());
    let claim = ["--domain", "acme.test", "--kind", "two-way"];
    let account = ["connector", "add", "--account", "acme.desk.test"];
    let connector = relay.json(&[&account, &claim[..]].concat());
    let connector = connector[0]["id"].as_str().unwrap();

    let inbound = relay
        .json(&["credential", "add", "--inbound", connector, "--alias"])
        .remove(0);
    assert_eq!(inbound["kind"], "inbound");
    assert_eq!(inbound["domain"], "acme.test");
    assert_eq!(inbound["alias"], "acme@acme.desk.test");
    let secret = inbound["secret"].as_str().unwrap();
    assert!(
        secret.starts_with("gpst_") && secret.len() == 43,
        "{secret}"
    );
    let submission = relay.command(&["credential", "add", "--submission", "acme.desk.test"]);
    let said = String::from_utf8_lossy(&submission.stdout);
    assert!(said.contains("for        submission"), "{said}");

    let listed = relay.json(&["credential", "list", "--account", "acme.desk.test"]);
    assert_eq!(listed.len(), 2);
    assert!(
        listed
            .iter()
            .all(|credential| credential.get("secret").is_none())
    );
    relay.json(&["credential", "add", "--inbound", connector]);
    let said = relay.refuses(&["credential", "add", "--inbound", connector]);
    assert!(said.contains("2 credentials are live"), "{said}");
    relay.reloads(&usual.with("[directory]\nkey-ring = \"keys\"\nlive-sets = 3"));
    relay.json(&["credential", "add", "--inbound", connector]);

    let user = inbound["user-name"].as_str().unwrap();
    let cancelled = relay.json(&["credential", "cancel", user]).remove(0);
    assert_eq!(cancelled["ended"]["how"], "cancelled");
    assert!(relay.json(&["credential", "show", user])[0]["ended"]["at"].is_u64());
    assert_eq!(relay.json(&["directory", "rekey"])[0]["rekeyed"], 4);
    relay.json(&["credential", "remove", user]);
    let said = relay.refuses(&["credential", "show", user]);
    assert!(
        said.contains(&format!("there is no credential {user}")),
        "{said}"
    );

    let keys = fs::read_to_string(relay.directory().join("keys")).unwrap();
    assert_eq!(keys.lines().count(), 2);
    let store = relay.directory().join("store");
    for entry in fs::read_dir(store).unwrap() {
        let path = entry.unwrap().path();
        let octets = fs::read(&path).unwrap_or_default();
        let found = octets
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "{}", path.display());
    }
    assert!(!relay.log().contains(secret));
    relay.leaves_nothing(sink);
}
