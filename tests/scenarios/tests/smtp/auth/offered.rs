//! AUTH is offered where it can be used, and there alone: under TLS, to those who submit (RFC 4954
//! section 4; RFC 8314 section 3). Elsewhere it is refused before a password is asked for.

use test_support::{Client, RelayBuilder, Sink};

const AUTH: &str = "AUTH PLAIN LOGIN";

#[test]
fn under_tls_to_those_who_submit() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();

    let mut client = relay.client("submission");
    assert!(!offers_auth(client.ehlo()));
    assert_eq!(refused(&mut client, 538), "5.7.11");
    assert!(client.starttls().contains(&AUTH.to_owned()));

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
