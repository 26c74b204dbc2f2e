//! A notice goes to whom the reverse-path names, who may have had no part in the message: a
//! stranger has written it. Such a notice brings no body and no word of theirs in the relay's own
//! sentences, and where the domain says that it is not its mail, there is none.

use test_support::{DnsServer, Relay, RelayBuilder, Sink, Zone};

use super::{CHAIN, Notice, submit};
use crate::MESSAGE;

/// A relay that asks this name server where mail comes from.
fn relay(sink: &Sink, dns: &DnsServer, notifications: &str) -> Relay {
    RelayBuilder::usual(sink.address())
        .replace(CHAIN, r#"chain = ["inbound-auth"]"#)
        .with(&format!(
            "[dns]\nservers = [\"{}\"]\n[[policy]]\nname = \"inbound-auth\"\n\
             builtin = \"inbound-auth\"\n[notifications]\n{notifications}\n",
            dns.address()
        ))
        .start()
}

/// sender.example with this SPF record.
fn spf(record: &str) -> DnsServer {
    let mut zone = Zone::new();
    zone.txt("sender.example", record);
    DnsServer::start(zone)
}

const ASKED: &str = " NOTIFY=FAILURE ORCPT=rfc822;click+20here@spam.example";

fn attempted(relay: &Relay, id: &str) {
    let attempt = relay.eventually("the attempt is on record", |relay| {
        relay.events(id, "attempt").pop()
    });
    assert_eq!(attempt["ending"], "failed");
}

#[test]
fn an_unproved_sender_gets_the_header_without_the_body() {
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let relay = RelayBuilder::usual(sink.address()).start();
    submit(&relay, " RET=FULL", "gone@desk.example", ASKED, MESSAGE);
    let notice = Notice::read(&sink.take().bytes());
    assert_eq!(notice.subject, "Not delivered");
    for words in ["hello", "spam.example", "click"] {
        assert!(!notice.text.contains(words), "{words}: {}", notice.text);
    }
    // For machines it stands as it was given.
    let given = "Original-Recipient: rfc822; click here@spam.example\r\n";
    assert!(notice.status.contains(given), "{}", notice.status);
    let (kind, returned) = notice.returned;
    assert_eq!(kind, "text/rfc822-headers");
    assert!(!returned.contains("Hello!"), "{returned}");
    relay.leaves_nothing(sink);
}

#[test]
fn a_sender_that_fails_spf_gets_no_notice() {
    let dns = spf("v=spf1 -all");
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let relay = relay(&sink, &dns, "");
    let id = submit(&relay, "", "gone@desk.example", ASKED, MESSAGE);
    attempted(&relay, &id);
    assert_eq!(relay.events(&id, "bounced").len(), 0);
    relay.leaves_nothing(sink);
}

#[test]
fn the_site_chooses_what_strangers_are_told() {
    let dns = spf("v=spf1 ?all");
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let none = relay(&sink, &dns, "unproved = \"none\"");
    let id = submit(&none, "", "gone@desk.example", ASKED, MESSAGE);
    attempted(&none, &id);
    assert_eq!(none.events(&id, "bounced").len(), 0);
    none.leaves_nothing(sink);

    let dns = spf("v=spf1 -all");
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let header = relay(&sink, &dns, "spf-fail = \"header\"");
    submit(&header, " RET=FULL", "gone@desk.example", ASKED, MESSAGE);
    let (kind, _) = Notice::read(&sink.take().bytes()).returned;
    assert_eq!(kind, "text/rfc822-headers");
    header.leaves_nothing(sink);
}

#[test]
fn a_sender_that_passes_spf_gets_the_message_back() {
    let dns = spf("v=spf1 ip4:127.0.0.1 -all");
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let relay = relay(&sink, &dns, "");
    submit(&relay, " RET=FULL", "gone@desk.example", ASKED, MESSAGE);
    let notice = Notice::read(&sink.take().bytes());
    // Its own words it gets back as an attachment, and not as ours.
    assert_eq!(notice.subject, "Not delivered");
    let (kind, returned) = notice.returned;
    assert_eq!(kind, "message/rfc822");
    assert!(returned.contains("Hello!"), "{returned}");
    relay.leaves_nothing(sink);
}

/// A next hop that gives notices itself is asked for no more than this relay would send.
#[test]
fn a_next_hop_is_asked_for_no_more() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    submit(&relay, " RET=FULL ENVID=1", "x@desk.example", "", MESSAGE);
    assert_eq!(sink.take().dsn, "RET=HDRS ENVID=1");
    relay.leaves_nothing(sink);

    let dns = spf("v=spf1 -all");
    let sink = Sink::start();
    let relay = self::relay(&sink, &dns, "");
    submit(&relay, "", "x@desk.example", " NOTIFY=SUCCESS", MESSAGE);
    assert_eq!(sink.take().dsn_to, ["NOTIFY=NEVER"]);
    relay.leaves_nothing(sink);
}
