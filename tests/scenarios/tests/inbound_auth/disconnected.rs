//! A disconnected domain vouches for nothing: its credentials log nobody in, open sessions with
//! them end, and its addresses receive like those of any other domain. Whoever has the right secret
//! is asked to come again.

use test_support::Scram;

use crate::{ITS_OWN, Site, author, codes, eml};

#[test]
fn credentials_of_a_disconnected_domain_end() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    let id = site.connect("two-way");
    let (user, secret) = site.credential(&["--inbound", &id]);
    let log_in = || {
        let mut client = site.secured();
        let reply = client.scram("SCRAM-SHA-256", &mut Scram::new(&user, &secret));
        (client, reply)
    };
    let open = || {
        let (client, reply) = log_in();
        assert_eq!(reply.code, 235);
        client
    };
    let (mut idle, mut in_data) = (open(), open());
    in_data.command("MAIL FROM:<ann@author.example>", 250);
    in_data.command("RCPT TO:<help@customer.test>", 250);
    in_data.command("DATA", 354);
    in_data.send("Subject: half\r\n\r\n").unwrap();

    site.relay.json(&["connector", "disconnect", &id]);
    for (client, command) in [
        (&mut idle, "MAIL FROM:<ann@author.example>"),
        (&mut in_data, "the rest\r\n."),
    ] {
        let reply = client.command(command, 421);
        assert_eq!(codes(&reply), (421, "4.7.0"), "{command}");
        assert!(client.closed());
    }
    // The other side keeps its mail and comes again; a wrong secret is as ever.
    assert_eq!(codes(&log_in().1), (454, "4.7.0"));
    let mut client = site.secured();
    let reply = client.scram("SCRAM-SHA-256", &mut Scram::new(&user, "wrong"));
    assert_eq!(codes(&reply), (535, "5.7.8"));
    drop(client);
    // Who does not log in is judged like anybody.
    let to = ["help@customer.test"];
    assert_eq!(site.send(ITS_OWN, &to, &eml("question")).code, 250);
    assert_eq!(site.tags(), "");

    site.relay.json(&["connector", "reconnect", &id]);
    let mut again = open();
    let reply = again.deliver("ann@author.example", &to, &eml("question"));
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(site.tags(), "relay-secure");
    drop((idle, in_data, again));
    site.ends();
}

/// Nor is a trusted proxy believed that names such a user.
#[test]
fn no_proxy_can_say_that_somebody_has_logged_in_with_them() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    let id = site.connect("two-way");
    let (user, _) = site.credential(&["--inbound", &id]);
    site.relay.json(&["connector", "disconnect", &id]);
    let mut client = site.relay.client("mx");
    client.ehlo();
    let reply = client.command(&format!("XCLIENT ADDR={ITS_OWN} LOGIN={user}"), 454);
    assert_eq!(codes(&reply), (454, "4.7.0"));
    drop(client);
    site.ends();
}

/// An address that is disconnected alone receives untagged, also over a session of its domain.
#[test]
fn a_credential_does_not_vouch_for_a_disconnected_address() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    let id = site.connect("two-way");
    let sales = [
        "address",
        "add",
        "--account",
        "acme.desk.test",
        "sales@customer.test",
    ];
    site.relay.json(&sales);
    let (user, secret) = site.credential(&["--inbound", &id]);
    let mut client = site.secured();
    let reply = client.scram("SCRAM-SHA-256", &mut Scram::new(&user, &secret));
    assert_eq!(reply.code, 235);
    let mut tags = |to: &[&str]| {
        let reply = client.deliver("ann@author.example", to, &eml("question"));
        assert_eq!(reply.unwrap().code, 250);
        site.tags()
    };
    let (help, other) = ("help@customer.test", "sales@customer.test");
    assert_eq!(tags(&[help]), "relay-secure");
    site.relay
        .json(&["connector", "disconnect", &id, "--address", help]);
    assert_eq!(tags(&[help]), "");
    assert_eq!(tags(&[other]), "relay-secure");
    assert_eq!(tags(&[help, other]), "");
    assert_eq!(site.send(ITS_OWN, &[help], &eml("question")).code, 250);
    assert_eq!(site.tags(), "");
    site.relay
        .json(&["connector", "reconnect", &id, "--address", help]);
    assert_eq!(tags(&[help]), "relay-secure");
    drop(client);
    site.ends();
}
