//! AUTH is offered where it can be used, and there alone: under TLS (RFC 4954 section 4; RFC 8314
//! section 3), and not where the site has it off. Elsewhere it is refused before a password is
//! asked for.

use test_support::{Client, RelayBuilder, Sink};

/// With channel binding, which needs TLS 1.3.
const AUTH: &str = "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN";

#[test]
fn auth_is_offered_only_under_tls() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    for listener in ["submission", "mx"] {
        let mut client = relay.client(listener);
        assert!(!offers_auth(client.ehlo()));
        assert_eq!(refused(&mut client, 538), "5.7.11");
        assert!(client.starttls().contains(&AUTH.to_owned()));
    }
    relay.leaves_nothing(sink);
}

#[test]
fn auth_is_not_offered_if_turned_off() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\nauth = false",
        )
        .start();
    let mut client = relay.client("mx");
    assert!(!offers_auth(client.ehlo()));
    assert_eq!(refused(&mut client, 502), "5.5.1");
    assert!(!offers_auth(client.starttls()));
    assert_eq!(refused(&mut client, 502), "5.5.1");
    drop(client);
    relay.leaves_nothing(sink);
}

fn offers_auth(offered: Vec<String>) -> bool {
    offered.iter().any(|keyword| keyword.contains("AUTH"))
}

fn refused(client: &mut Client, code: u16) -> String {
    let reply = client.command("AUTH PLAIN AHVzZXIAc2VjcmV0", code);
    reply.enhanced().unwrap().to_owned()
}
