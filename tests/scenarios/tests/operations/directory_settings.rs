//! What an operator sets for an account and for its domain stays, restart or not, and what is no
//! sense is refused.

use test_support::{RelayBuilder, Sink};

#[test]
fn forwarders_and_policies_are_set_and_cleared() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).start();
    let native = ["--native-domain", "acme.desk.test", "--product", "Acme"];
    relay.json(&[&["account", "add"], &native[..]].concat());
    let claim = ["--account", "acme.desk.test", "--domain", "acme.test"];
    let connector =
        relay.json(&[&["connector", "add", "--kind", "outbound-only"], &claim[..]].concat());
    let id = connector[0]["id"].as_str().unwrap();

    let networks = ["--network", "192.0.2.0/24", "--network", "2001:db8::/32"];
    let domains = ["--dkim-domain", "Acme.test", "--arc-sealer", "bücher.test"];
    let set = relay.json(&[&["connector", "forwarders", id], &networks[..], &domains].concat());
    let forwarders = &set[0]["forwarders"];
    assert_eq!(forwarders["networks"][1], "2001:db8::/32");
    assert_eq!(forwarders["dkim-domains"][0], "acme.test");
    let malformed = [
        ["connector", "forwarders", id, "--network", "192.0.2.0/33"],
        ["account", "set", "acme.desk.test", "inbound-auth", "[]"],
    ];
    for malformed in malformed {
        let refused = relay.command(&malformed);
        assert_eq!(refused.status.code(), Some(2));
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains("invalid value"), "{said}");
    }

    let settings = r#"{"mode":"enhanced"}"#;
    let set = relay.json(&["account", "set", "acme.desk.test", "inbound-auth", settings]);
    assert_eq!(set[0]["policies"]["inbound-auth"]["mode"], "enhanced");

    relay.restart();
    let shown = relay.json(&["connector", "show", id]);
    assert_eq!(shown[0]["forwarders"], *forwarders);
    let shown = relay.json(&["account", "show", "acme.desk.test"]);
    assert_eq!(shown[0]["policies"]["inbound-auth"]["mode"], "enhanced");

    let cleared = relay.json(&["connector", "forwarders", id]);
    assert_eq!(cleared[0]["forwarders"]["networks"], serde_json::json!([]));
    let cleared = relay.json(&["account", "set", "acme.desk.test", "inbound-auth"]);
    assert_eq!(cleared[0]["policies"], serde_json::json!({}));
    relay.leaves_nothing(sink);
}
