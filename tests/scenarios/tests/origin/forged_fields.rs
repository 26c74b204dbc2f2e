//! Fields from outside that claim to be the relay's own are removed before any policy sees them,
//! in every spelling; fields of others stay, octet for octet.

use test_support::{DnsServer, RelayBuilder, Sink, Zone};

use crate::{CHAIN, relay, send};

const FORGED: &str = "Authentication-Results: mx.desk.example; dmarc=pass\r\n\
    AUTHENTICATION-RESULTS:\r\n\tMX.Desk.Example;\r\n dmarc=pass\r\n\
    authentication-results : (nothing; other.example) mx.desk.example 1; dkim=pass\r\n\
    Authentication-Results: \"mx.desk.example\" ; spf=pass\r\n\
    Authentication-Results: mx.desk.example.; spf=pass\r\n\
    X-Gatepost-Tags: relay-secure\r\n\
    X-Gatepost-REASONS : forged\r\n\
    x-gatepost-auth:dmarc=pass\r\n\
    X-GATEPOST-REQUESTER: boss@desk.example\r\n\
    X-Gatepost-Class: human\r\n\
    X-Gatepost-Trigger: forged\r\n\
    X-Gatepost-Original-Recipient: boss@desk.example\r\n";

/// The same in dresses that a reader downstream may take off.
const DRESSED: &[&str] = &[
    "X-Gatepost-Tags\u{c}: forged",
    "X-Gatepost_Reasons\u{c}: forged",
    "X-Gatepost-Auth\u{c}: forged",
    "X-Gatepost-Auth\u{b}\t : forged",
    "\u{1}X-Gatepost-Tags: forged",
    "X-Gatepost\u{7f}-Tags: forged",
    "X_Gatepost_Tags: forged",
    "X-Gatepost-Tags (really): forged",
    "X-Gatepost-Tags more: forged",
    "X-Gatepost-Tags\u{a0}: forged",
    "X\u{2010}Gatepost\u{2010}Tags: forged",
    "Subject: hello\u{c}X-Gatepost-Tags: forged",
    "Authentication-Results\u{c}: mx.other.example; dmarc=pass header.from=forged",
    "Authentication-Results: mx.desk(c).example; dmarc=pass header.from=forged",
    "Authentication-Results: mx.desk.\r\n example; dmarc=pass header.from=forged",
    "Authentication-Results: mx . desk . example; dmarc=pass header.from=forged",
    "Authentication-Results: \"mx.desk\"\r\n \".example\"; dmarc=pass header.from=forged",
    "Authentication-Results: <mx.desk.example>; dmarc=pass header.from=forged",
    "Authentication-Results: x.example; none, mx.desk.example; dmarc=pass header.from=forged",
    "Authentication-Results: x.example; none\r\n mx.desk.example; dmarc=pass header.from=forged",
    "Authentication-Results: dmarc=pass header.from=forged",
];

const OTHERS: &str = "authentication-RESULTS : mx.other.example ;\r\n\tspf=pass  (mx.desk.example)\r\n\
    X-Gatepost-Email-Id: 1\r\n\
    X-Gatepost-From-Account-Id: 2\r\n\
    X-Gatepost-Tags-Of-Mine: kept\r\n\
    From: Ann <ann@sender.example>\r\n\
    To: help@desk.example\r\n\
    \r\n\
    Authentication-Results: mx.desk.example; in the body\r\n";

#[test]
fn forged_fields_are_removed_and_no_others() {
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
fn no_spelling_hides_a_forged_field() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, "chain = []")
        .start();
    for dressed in DRESSED {
        let reply = send(&relay, format!("{dressed}\r\n{OTHERS}").as_bytes());
        assert_eq!(reply.code, 250, "{reply:?}");
        let arrived = String::from_utf8(sink.take().bytes()).unwrap();
        assert!(arrived.ends_with(OTHERS), "{arrived}");
        assert!(!arrived.contains("forged"), "{dressed:?}: {arrived}");
    }
    relay.leaves_nothing(sink);
}

/// Above the first field and behind a line that is no field, where some readers go on reading.
#[test]
fn forged_fields_around_the_header_section_never_arrive() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, "chain = []")
        .start();
    let above = format!(" X-Gatepost-Tags: forged\r\n and more\r\n{OTHERS}");
    assert_eq!(send(&relay, above.as_bytes()).code, 250);
    let arrived = String::from_utf8(sink.take().bytes()).unwrap();
    assert!(arrived.ends_with(OTHERS), "{arrived}");
    assert!(!arrived.contains("forged"), "{arrived}");

    let head = "From: Ann <ann@sender.example>\r\n";
    for behind in [
        "X-Gatepost-Tags",
        "x_gatepost_auth\u{c} ",
        "Authentication-Results",
    ] {
        let message = format!("{head}no field\r\n{behind}: forged\r\n\r\nHello!\r\n");
        let reply = send(&relay, message.as_bytes());
        assert_eq!((reply.code, reply.enhanced()), (550, Some("5.6.0")));
    }

    // What is body for us is body for everybody.
    let body = "no field\r\nX-Other: 1\r\n\r\nX-Gatepost-Tags: in the body\r\n";
    assert_eq!(send(&relay, format!("{head}{body}").as_bytes()).code, 250);
    let arrived = String::from_utf8(sink.take().bytes()).unwrap();
    let (section, rest) = arrived.split_once("\r\n\r\n").unwrap();
    assert!(section.ends_with(head.trim_end()), "{arrived}");
    assert_eq!(rest, body);
    relay.leaves_nothing(sink);
}

/// Of a submission, as well: it may go to another account, whose application believes the relay.
#[test]
fn an_application_says_nothing_in_our_name() {
    let sink = Sink::start();
    let other = "[[account]]\nid = \"other\"\ndomains = [\"other.example\"]";
    let relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, "chain = []")
        .with(other)
        .start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    let mut submitted = |to: &str, fields: &str| {
        let message = format!("{fields}{MINE}");
        let reply = client.deliver("help@desk.example", &[to], message.as_bytes());
        assert_eq!(reply.unwrap().code, 250);
        String::from_utf8(sink.take().bytes()).unwrap()
    };
    let trigger = "X-Gatepost-Trigger: ticket-created\r\n";
    for to in ["help@other.example", "ann@elsewhere.example"] {
        let forged = FORGED.replace("X-Gatepost-Trigger: forged\r\n", "");
        let arrived = submitted(to, &format!("{forged}{trigger}"));
        let (ours, rest) = arrived.split_at(arrived.len() - MINE.len());
        assert_eq!(rest, MINE);
        for forged in ["relay-secure", "boss@", "forged", "dmarc=pass", "human"] {
            assert!(!ours.contains(forged), "{ours}");
        }
        // Why it was sent is nobody's business inside.
        let inside = to == "help@other.example";
        assert_eq!(ours.contains(trigger), !inside, "{ours}");
        for dressed in DRESSED {
            let arrived = submitted(to, &format!("{dressed}\r\n"));
            assert!(!arrived.contains("forged"), "{dressed:?}: {arrived}");
        }
        let arrived = submitted(to, "X-Gatepost-Trigger\u{c}: forged\r\n");
        assert!(!arrived.contains("forged"), "{arrived}");
    }
    drop(client);
    relay.leaves_nothing(sink);
}

const MINE: &str = "From: <help@desk.example>\r\n\
    Date: Mon, 2 Mar 2026 11:04:51 +0000\r\n\
    Message-ID: <1@desk.example>\r\n\
    \r\n\
    Hello!\r\n";

#[test]
fn a_submission_says_why_it_is_sent() {
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
