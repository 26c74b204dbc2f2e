//! The DNS does not answer: the results are `temperror`, after a bounded time, and mail flows.

use std::time::{Duration, Instant};

use test_support::zone::Fault;
use test_support::{DnsServer, Sink};

use crate::{relay, send, signed};

#[test]
fn a_failing_dns_gives_temperror_and_mail_flows() {
    let (message, mut zone) = signed();
    for name in [
        "s._domainkey.sender.example",
        "_dmarc.sender.example",
        "sender.example",
    ] {
        zone.fault(name, Fault::ServFail);
    }
    let (sink, dns) = (Sink::start(), DnsServer::start(zone));
    let relay = relay(&sink, &dns).start();
    let reply = send(&relay, &message);
    assert_eq!(reply.code, 250, "{reply:?}");
    let auth = sink.take().header("X-Gatepost-Auth").unwrap();
    assert!(
        auth.starts_with("spf=temperror dkim=temperror dmarc=temperror"),
        "{auth}"
    );
}

#[test]
fn waiting_for_dns_has_an_end() {
    let (message, mut zone) = signed();
    for name in [
        "s._domainkey.sender.example",
        "_dmarc.sender.example",
        "sender.example",
    ] {
        zone.fault(name, Fault::Silence);
    }
    let (sink, dns) = (Sink::start(), DnsServer::start(zone));
    let relay = relay(&sink, &dns)
        .replace("[dns]\n", "[dns]\ntimeout = \"10s\"\nattempts = 3\n")
        .with("[authentication]\ntime = \"500ms\"")
        .start();
    let began = Instant::now();
    let reply = send(&relay, &message);
    assert_eq!(reply.code, 250, "{reply:?}");
    // One attempt at one question would have taken longer.
    assert!(began.elapsed() < Duration::from_secs(10));
    let auth = sink.take().header("X-Gatepost-Auth").unwrap();
    assert!(
        auth.starts_with("spf=temperror dkim=temperror dmarc=temperror"),
        "{auth}"
    );
}
