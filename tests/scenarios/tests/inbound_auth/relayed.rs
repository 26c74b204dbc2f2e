//! The customer's own server relays mail, in a session with credentials of its domain.

use test_support::Scram;

use crate::{Site, author, codes, eml};

/// The author's domain wants its mail refused where it is not proved, and this is not.
#[test]
fn a_customers_server_vouches_for_any_author() {
    let (zone, _) = author("reject");
    let site = Site::start(zone, r#"{ unauthenticated = "refuse" }"#);
    let id = site.connect("two-way");
    let (user, secret) = site.credential(&["--inbound", &id]);

    let mut client = site.secured();
    let mut scram = Scram::bound(&user, &secret, client.binding());
    assert_eq!(client.scram("SCRAM-SHA-256-PLUS", &mut scram).code, 235);
    let to = ["help@customer.test"];
    let reply = client.deliver("ann@author.example", &to, &eml("question"));
    let reply = reply.unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());

    let taken = site.sink.take();
    assert_eq!(taken.header("X-Gatepost-Tags").unwrap(), "relay-secure");
    let received = taken.header("Received").unwrap();
    assert!(received.contains(" with ESMTPSA id "), "{received}");
    let id = reply.transaction();
    let facts = &site.relay.events(&id, "authenticated")[0]["authentication"];
    assert_eq!(facts["sasl"]["user"], user);
    assert_eq!(facts["sasl"]["domain"], "customer.test");
    let trace = site.relay.trace_until(&id, "delivered");
    insta::assert_snapshot!(trace, @r#"
    begun on mx from 127.0.0.1:PORT as USER1, TLSv1.3 TLS13_AES_256_GCM_SHA384
    sender <ann@author.example>: 250 2.1.0 Ok, transaction ID1
    judged inbound-auth DIGEST recipient: pass
    recipient <help@customer.test>: 250 2.1.5 Recipient OK
    authenticated spf=fail (author.example) dkim=none dmarc=fail (author.example) arc=none
        iprev=pass auth=pass (USER1)
    judged inbound-auth DIGEST message: pass (relayed by the customer's server; DMARC of
        "author.example" is fail)
    queued for <help@customer.test>
    replied 250 2.6.0 Queued as ID1 (187 B)
    attempt 1 for <help@customer.test> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    "#);
    drop(client);
    site.ends();
}

/// Not those of the account's other domains, nor its native one.
#[test]
fn a_connector_delivers_only_to_addresses_of_its_domain() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    let id = site.connect("two-way");
    let (user, secret) = site.credential(&["--inbound", &id]);
    site.connect_domain("other.test", "two-way");

    let mut client = site.secured();
    let scram = &mut Scram::new(&user, &secret);
    assert_eq!(client.scram("SCRAM-SHA-256", scram).code, 235);
    client.command("MAIL FROM:<ann@author.example>", 250);
    for foreign in ["help@other.test", "help@acme.desk.test", "x@elsewhere.test"] {
        let reply = client.command(&format!("RCPT TO:<{foreign}>"), 550);
        assert_eq!(codes(&reply), (550, "5.7.1"), "{foreign}");
    }
    client.command("RCPT TO:<help@customer.test>", 250);
    client.command("RSET", 250);
    drop(client);
    site.ends();
}

/// The address that was given to a credential logs in as well as its own name, and receives.
#[test]
fn an_alias_logs_in_and_receives() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    let id = site.connect("two-way");
    let (user, secret) = site.credential(&["--inbound", &id, "--alias"]);

    let alias = "acme@acme.desk.test";
    let mut client = site.secured();
    let scram = &mut Scram::new(alias, &secret);
    assert_eq!(client.scram("SCRAM-SHA-256", scram).code, 235);
    let to = ["help@customer.test"];
    let reply = client.deliver("ann@author.example", &to, &eml("question"));
    let id = reply.unwrap().transaction();
    assert_eq!(site.tags(), "relay-secure");
    // On record is the credential's own name.
    let facts = &site.relay.events(&id, "authenticated")[0]["authentication"];
    assert_eq!(facts["sasl"]["user"], user);
    drop(client);

    assert_eq!(
        site.send(crate::ITS_OWN, &[alias], &eml("question")).code,
        250
    );
    assert_eq!(site.sink.take().to, [alias]);
    site.ends();
}
