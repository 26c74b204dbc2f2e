//! What claims to be ours and comes from outside is taken out before any policy sees it, however
//! it is spelt; what others say of the message stays, octet for octet.

use test_support::{DnsServer, RelayBuilder, Sink, Zone};

use crate::{CHAIN, relay, send};

const FORGED: &str = "Authentication-Results: mx.desk.example; dmarc=pass\r\n\
    AUTHENTICATION-RESULTS:\r\n\tMX.Desk.Example;\r\n dmarc=pass\r\n\
    authentication-results : (nothing; other.example) mx.desk.example 1; dkim=pass\r\n\
    Authentication-Results: \"mx.desk.example\" ; spf=pass\r\n\
    Authentication-Results: mx.desk.example.; spf=pass\r\n\
    X-Gatepost-Tags: relay-secure\r\n\
    x-gatepost-auth:dmarc=pass\r\n\
    X-GATEPOST-REQUESTER: boss@desk.example\r\n\
    X-Gatepost-Class: human\r\n\
    X-Gatepost-Trigger: forged\r\n\
    X-Gatepost-Original-Recipient: boss@desk.example\r\n";

const OTHERS: &str = "authentication-RESULTS : mx.other.example ;\r\n\tspf=pass  (mx.desk.example)\r\n\
    X-Gatepost-Email-Id: 1\r\n\
    X-Gatepost-From-Account-Id: 2\r\n\
    X-Gatepost-Tags-Of-Mine: kept\r\n\
    From: Ann <ann@sender.example>\r\n\
    To: help@desk.example\r\n\
    \r\n\
    Authentication-Results: mx.desk.example; in the body\r\n";

#[test]
fn what_claims_to_be_ours_goes_and_nothing_else() {
    let (sink, dns) = (Sink::start(), DnsServer::start(Zone::new()));
    // Whether or not anybody wants to know where mail comes from.
    let unconcerned = RelayBuilder::usual(sink.address()).replace(CHAIN, "chain = []");
    for relay in [unconcerned, relay(&sink, &dns)] {
        let relay = relay.start();
        let reply = send(&relay, format!("{FORGED}{OTHERS}").as_bytes());
        assert_eq!(reply.code, 250, "{reply:?}");
        let arrived = String::from_utf8(sink.take().bytes()).unwrap();
        let (ours, rest) = arrived.split_at(arrived.len() - OTHERS.len());
        assert_eq!(rest, OTHERS);
        for forged in [
            "relay-secure",
            "boss@",
            "forged",
            "dmarc=pass",
            "spf=pass",
            "dkim=pass",
        ] {
            assert!(!ours.contains(forged), "{ours}");
        }
    }
}

#[test]
fn the_site_chooses_the_names() {
    let (sink, dns) = (Sink::start(), DnsServer::start(Zone::new()));
    let relay = relay(&sink, &dns)
        .with(
            "[authentication]\nauthserv-id = \"desk.example\"\n\
             [headers]\nauth = \"X-Desk-Auth\"\noriginal-recipient = \"X-Desk-To\"\n",
        )
        .start();
    let forged = "Authentication-Results: desk.example; dmarc=pass\r\n\
        X-Desk-Auth: forged\r\n\
        X-Gatepost-Auth: of another\r\n\
        Authentication-Results: mx.desk.example; of another\r\n";
    send(&relay, format!("{forged}{OTHERS}").as_bytes());
    let taken = sink.take();
    assert_eq!(
        taken.header("X-Desk-To").as_deref(),
        Some("help@desk.example")
    );
    let auth = taken.header("X-Desk-Auth").unwrap();
    assert!(
        auth.starts_with("spf=none dkim=none dmarc=permerror")
            || auth.starts_with("spf=none dkim=none dmarc=none"),
        "{auth}"
    );
    let arrived = String::from_utf8(taken.bytes()).unwrap();
    assert!(
        arrived.starts_with("Authentication-Results: desk.example;\r\n"),
        "{arrived}"
    );
    assert!(
        !arrived.contains("dmarc=pass") && !arrived.contains("forged"),
        "{arrived}"
    );
    assert!(
        arrived.contains("X-Gatepost-Auth: of another\r\n"),
        "{arrived}"
    );
    assert!(
        arrived.contains("mx.desk.example; of another\r\n"),
        "{arrived}"
    );
}

#[test]
fn a_submission_is_left_alone() {
    let (sink, dns) = (Sink::start(), DnsServer::start(Zone::new()));
    let relay = relay(&sink, &dns).start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    let message = "From: <help@desk.example>\r\n\
        Date: Mon, 2 Mar 2026 11:04:51 +0000\r\n\
        Message-ID: <1@desk.example>\r\n\
        X-Gatepost-Trigger: ticket-created\r\n\
        \r\n\
        Hello!\r\n";
    let reply = client
        .deliver(
            "help@desk.example",
            &["ann@sender.example"],
            message.as_bytes(),
        )
        .unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    let arrived = String::from_utf8(sink.take().bytes()).unwrap();
    assert!(arrived.starts_with("Received: "), "{arrived}");
    assert!(arrived.ends_with(message), "{arrived}");
    assert!(!arrived.contains("Authentication-Results"), "{arrived}");
}
