//! A credential for submission that the directory has given out: it submits for its account, and
//! when it was last used is known.

use test_support::{RelayBuilder, Sink};

#[test]
fn a_credential_submits_for_its_account() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    for domain in ["one.desk.test", "two.desk.test"] {
        relay.json(&[
            "account",
            "add",
            "--native-domain",
            domain,
            "--product",
            "One",
        ]);
    }
    let help = "help@one.desk.test";
    relay.json(&["address", "add", "--account", "one.desk.test", help]);
    let made = relay.json(&["credential", "add", "--submission", "one.desk.test"]);
    let of = |key: &str| made[0][key].as_str().unwrap();
    let (user, secret) = (of("user-name"), of("secret"));
    assert!(made[0]["last-used"].is_null());

    let mut client = relay.client("submission").authenticated(user, secret);
    let to = ["x@elsewhere.example"];
    let message = b"From: Help <help@one.desk.test>\r\nSubject: hello\r\n\r\nHello!\r\n";
    let reply = client.deliver(help, &to, message).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    sink.take();
    let session = &relay.events(&reply.transaction(), "begun")[0]["session"];
    assert_eq!(session["user"], user);
    // Not in the name of another account, of the directory or of the configuration.
    for other in ["help@two.desk.test", "user@desk.example"] {
        let reply = client.command(&format!("MAIL FROM:<{other}>"), 550);
        assert_eq!(reply.enhanced(), Some("5.7.1"), "{other}");
    }
    drop(client);
    let owner = &relay.json(&["credential", "list", "--account", "one.desk.test"])[0];
    assert!(owner["last-used"].is_u64(), "{owner}");
    relay.leaves_nothing(sink);
}
