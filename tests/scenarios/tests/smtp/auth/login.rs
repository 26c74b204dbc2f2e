//! AUTH LOGIN under TLS, as every mail client still speaks it (its draft has expired; the frame is
//! RFC 4954 section 4).

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

/// `Username:`, `Password:`, `user` and `secret` in base64.
const USERNAME: &str = "VXNlcm5hbWU6";
const PASSWORD: &str = "UGFzc3dvcmQ6";
const USER: &str = "dXNlcg==";
const SECRET: &str = "c2VjcmV0";

#[test]
fn auth_login_asks_for_user_name_and_password() {
    submits(true);
}

#[test]
fn auth_login_accepts_an_initial_user_name() {
    submits(false);
}

fn submits(asked_for: bool) {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    let challenge = if asked_for {
        assert_eq!(client.command("AUTH LOGIN", 334).text(), USERNAME);
        client.command(USER, 334)
    } else {
        client.command(&format!("AUTH LOGIN {USER}"), 334)
    };
    assert_eq!(challenge.text(), PASSWORD);
    client.command(SECRET, 235);
    let reply = client.deliver("user@desk.example", &["x@elsewhere.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(sink.take().to, ["x@elsewhere.example"]);
    drop(client);
    relay.leaves_nothing(sink);
}
