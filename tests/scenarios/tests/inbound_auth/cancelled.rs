//! A cancelled credential is invalid from the next command on, also in open sessions.

use test_support::Scram;

use crate::{Site, author, codes, eml};

#[test]
fn a_cancelled_credential_ends_in_an_open_session() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    let id = site.connect("two-way");
    let (old, old_secret) = site.credential(&["--inbound", &id]);
    let (new, new_secret) = site.credential(&["--inbound", &id]);
    let log_in = |user: &str, secret: &str| {
        let mut client = site.secured();
        let reply = client.scram("SCRAM-SHA-256", &mut Scram::new(user, secret));
        (client, reply)
    };
    let open = |user: &str, secret: &str| {
        let (client, reply) = log_in(user, secret);
        assert_eq!(reply.code, 235);
        client
    };
    let (mut idle, mut other) = (open(&old, &old_secret), open(&new, &new_secret));
    let mut before_recipient = open(&old, &old_secret);
    before_recipient.command("MAIL FROM:<ann@author.example>", 250);
    let mut in_data = open(&old, &old_secret);
    in_data.command("MAIL FROM:<ann@author.example>", 250);
    in_data.command("RCPT TO:<help@customer.test>", 250);
    in_data.command("DATA", 354);
    in_data.send("Subject: half\r\n\r\n").unwrap();

    site.relay.json(&["credential", "cancel", &old]);
    for (client, command) in [
        (&mut idle, "NOOP"),
        (&mut before_recipient, "RCPT TO:<help@customer.test>"),
        (&mut in_data, "the rest\r\n."),
    ] {
        let reply = client.command(command, 421);
        assert_eq!(codes(&reply), (421, "4.7.0"), "{command}");
        assert!(client.closed());
    }
    assert_eq!(codes(&log_in(&old, &old_secret).1), (535, "5.7.8"));

    let to = ["help@customer.test"];
    let reply = other.deliver("ann@author.example", &to, &eml("question"));
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(site.tags(), "relay-secure");
    drop((idle, before_recipient, in_data, other));
    site.ends();
}
