//! What is sent for an account of the directory says the product as the account's users know it.

use test_support::{RelayBuilder, Sink};

#[test]
fn x_mailer_names_the_accounts_own_product() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    for (domain, product, mailer) in [
        ("one.desk.test", "Acme Desk", "Acme Desk Mailer"),
        // In letters that a server without SMTPUTF8 takes, too.
        (
            "two.desk.test",
            "Bürgerbüro",
            "=?utf-8?q?B=C3=BCrgerb=C3=BCro_Mailer?=",
        ),
    ] {
        let native = ["--native-domain", domain, "--product", product];
        relay.json(&[&["account", "add"], &native[..]].concat());
        let address = format!("help@{domain}");
        relay.json(&["address", "add", "--account", domain, &address]);
        let made = relay.json(&["credential", "add", "--submission", domain]);
        let of = |key: &str| made[0][key].as_str().unwrap();
        let mut client = relay
            .client("submission")
            .authenticated(of("user-name"), of("secret"));
        let message = format!("From: {address}\r\nSubject: s\r\n\r\nHello!\r\n");
        let reply = client.deliver(&address, &["ann@elsewhere.example"], message.as_bytes());
        assert_eq!(reply.unwrap().code, 250);
        assert_eq!(sink.take().header("X-Mailer").as_deref(), Some(mailer));
    }
    // An account that the configuration gives has none of its own.
    let mut client = relay.client("submission").authenticated("user", "secret");
    let message = b"From: help@desk.example\r\nSubject: s\r\n\r\nHello!\r\n";
    let reply = client.deliver("help@desk.example", &["ann@elsewhere.example"], message);
    assert_eq!(reply.unwrap().code, 250);
    let mailer = sink.take().header("X-Mailer");
    assert_eq!(mailer.as_deref(), Some("Gatepost Mailer"));
    drop(client);
    relay.leaves_nothing(sink);
}
