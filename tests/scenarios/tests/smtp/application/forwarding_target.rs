//! The application is told of the support address behind a forwarding target, and whether anybody
//! known has forwarded the message.

use test_support::{DnsServer, Sink, Zone};

use super::desk::{Desk, SECRET, relay_to};
use crate::MESSAGE;

#[test]
fn the_application_is_told_the_support_address_and_the_way() {
    let (desk, world) = (Desk::answering(200), Sink::start());
    let dns = DnsServer::start(Zone::new());
    let keys = format!(
        "secrets = [{SECRET:?}]\n[dns]\nservers = [\"{}\"]\n\
         [[policy]]\nname = \"inbound-auth\"\nbuiltin = \"inbound-auth\"\n",
        dns.address()
    );
    let relay = relay_to(desk.address, &world, &keys)
        .replace(
            r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#,
            r#"chain = ["inbound-auth"]"#,
        )
        .start();
    let native = ["--native-domain", "acme.desk.test", "--product", "Acme"];
    let account = relay.json(&[&["account", "add"], &native[..]].concat());
    let connector = [
        "connector",
        "add",
        "--kind",
        "forwarded",
        "--domain",
        "customer.test",
    ];
    let made = relay.json(&[&connector[..], &["--account", "acme.desk.test"]].concat());
    let id = made[0]["id"].as_str().unwrap();
    relay.json(&["connector", "vouch", id]);
    let add = [
        "address",
        "add",
        "--account",
        "acme.desk.test",
        "help@customer.test",
    ];
    let added = relay.json(&add);
    let target = added[0]["forwarding-target"].as_str().unwrap();
    let arrives = |arrival: &str| {
        let mut client = relay.client("mx");
        client.ehlo();
        let reply = client
            .deliver("ann@sender.example", &[target], MESSAGE)
            .unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        let (facts, _) = desk.take().parts();
        let recipient = &facts["rcpt-to"][0];
        assert_eq!(recipient["address"], "help@customer.test", "{facts}");
        assert_eq!(recipient["arrival"], arrival, "{facts}");
        assert_eq!(facts["account"], account[0]["id"], "{facts}");
    };
    arrives("unknown-forwarder");
    relay.json(&["connector", "forwarders", id, "--network", "127.0.0.0/8"]);
    arrives("forwarded");
    relay.leaves_nothing(world);
}
