//! Without a policy that wants facts about origin, nothing is looked up; with one, each answer is
//! cached.

use test_support::zone::RecordType;
use test_support::{DnsServer, Sink};

use crate::{relay, send, signed};

#[test]
fn dns_is_not_asked_unless_a_policy_imports_it() {
    let (message, zone) = signed();
    let (sink, dns) = (Sink::start(), DnsServer::start(zone));
    let relay = relay(&sink, &dns)
        .replace(
            r#"chain = ["origin"]"#,
            r#"chain = ["loop-guard", "header-guard"]"#,
        )
        .start();
    let reply = send(&relay, &message);
    assert_eq!(reply.code, 250, "{reply:?}");
    let taken = sink.take();
    assert_eq!(dns.asked(), []);
    // What nobody has looked for is not told as not found.
    for name in ["Authentication-Results", "X-Gatepost-Auth"] {
        assert_eq!(taken.header(name), None);
    }
}

#[test]
fn dns_answers_are_cached() {
    let (message, zone) = signed();
    let (sink, dns) = (Sink::start(), DnsServer::start(zone));
    let relay = relay(&sink, &dns).start();
    for _ in 0..3 {
        send(&relay, &message);
        sink.take();
    }
    assert_eq!(
        dns.asked_for("s._domainkey.sender.example", RecordType::TXT),
        1
    );
}
