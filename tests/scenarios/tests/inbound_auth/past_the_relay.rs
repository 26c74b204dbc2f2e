//! Mail for a two-way domain that does not come through the customer's relay.

use crate::{STRANGER, Site, author, codes, eml};

#[test]
fn mail_past_the_relay_is_tagged_and_reported() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    let id = site.connect("two-way");
    let past = site.send(STRANGER, &["help@customer.test"], &eml("question"));
    assert_eq!(past.code, 250);
    assert_eq!(site.tags(), "relay-missing, dmarc-fail");
    let trace = site.relay.trace_until(&past.transaction(), "delivered");
    insta::assert_snapshot!(trace, @"
    begun on mx from 203.0.113.77:0, plaintext
    sender <ann@author.example>: 250 2.1.0 Ok, transaction ID1
    judged inbound-auth DIGEST recipient: pass
    recipient <help@customer.test>: 250 2.1.5 Recipient OK
    authenticated spf=fail (author.example) dkim=none dmarc=fail (author.example) arc=none
        iprev=permerror
    judged inbound-auth DIGEST message: pass (it did not come through the relay of its
        domain)
    queued for <help@customer.test>
    replied 250 2.6.0 Queued as ID1 (187 B)
    attempt 1 for <help@customer.test> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");
    site.relay
        .logged("it did not come through the relay of its domain");

    // Disconnected, the domain goes on receiving, and nothing is missing.
    site.relay.json(&["connector", "disconnect", &id]);
    assert_eq!(
        site.send(STRANGER, &["help@customer.test"], &eml("question"))
            .code,
        250
    );
    assert_eq!(site.tags(), "dmarc-fail");
    site.ends();
}

#[test]
fn mail_past_the_relay_is_refused_if_set() {
    let (zone, _) = author("none");
    let site = Site::start(zone, r#"{ unauthenticated = "refuse" }"#);
    site.connect("two-way");
    let reply = site.send(STRANGER, &["help@customer.test"], &eml("question"));
    assert_eq!(codes(&reply), (550, "5.7.1"));
    // The native address beside it receives.
    let both = ["help@customer.test", "help@acme.desk.test"];
    let reply = site.send(STRANGER, &both, &eml("question"));
    assert_eq!(reply.code, 250);
    assert_eq!(site.sink.take().to, ["help@acme.desk.test"]);
    let trace = site.relay.trace_until(&reply.transaction(), "delivered");
    insta::assert_snapshot!(trace, @"
    begun on mx from 203.0.113.77:0, plaintext
    sender <ann@author.example>: 250 2.1.0 Ok, transaction ID1
    judged inbound-auth DIGEST recipient: pass
    recipient <help@customer.test>: 250 2.1.5 Recipient OK
    judged inbound-auth DIGEST recipient: pass
    recipient <help@acme.desk.test>: 250 2.1.5 Recipient OK
    authenticated spf=fail (author.example) dkim=none dmarc=fail (author.example) arc=none
        iprev=permerror
    judged inbound-auth DIGEST message: pass (it did not come through the relay of its
        domain)
    recipient <help@customer.test>: 550 5.7.1 Mail for this address comes through its
        domain's relay
    queued for <help@acme.desk.test>
    replied 250 2.6.0 Queued as ID1 (187 B)
    attempt 1 for <help@acme.desk.test> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");
    site.ends();
}

/// A spoof gains nothing by the domain's being two-way.
#[test]
fn a_spoof_past_the_relay_is_refused_as_direct_mail_is() {
    for (settings, code) in [("{}", 550), (r#"{ unauthenticated = "tag" }"#, 250)] {
        let (zone, signer) = author("reject");
        let site = Site::start(zone, settings);
        site.connect("two-way");
        let to = ["help@customer.test"];
        let spoof = site.send(STRANGER, &to, &eml("question"));
        assert_eq!(spoof.code, code, "{settings}");
        if code == 250 {
            assert_eq!(site.tags(), "relay-missing, dmarc-fail");
        }
        let proved = signer.signed(&eml("question"));
        assert_eq!(site.send(STRANGER, &to, &proved).code, 250);
        assert_eq!(site.tags(), "relay-missing");
        site.ends();
    }
}
