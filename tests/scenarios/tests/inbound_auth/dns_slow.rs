//! A name server that never answers delays mail for a bounded time; no mail is refused.

use std::time::{Duration, Instant};

use test_support::zone::Fault;

use crate::{STRANGER, Site, author, eml};

#[test]
fn a_silent_name_server_delays_mail_by_a_bounded_time() {
    let (mut zone, signer) = author("reject");
    for name in [
        "author.example",
        "_dmarc.author.example",
        "s._domainkey.author.example",
    ] {
        zone.fault(name, Fault::Silence);
    }
    let site = Site::start(zone, "{}");
    let began = Instant::now();
    let reply = site.direct(STRANGER, &signer.signed(&eml("question")));
    assert_eq!(reply.code, 250, "{reply:?}");
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    let taken = site.sink.take();
    assert_eq!(
        taken.header("X-Gatepost-Tags").as_deref(),
        Some("dmarc-temperror")
    );
    let results = taken.header("Authentication-Results").unwrap();
    for unanswered in ["spf=temperror", "dkim=temperror", "dmarc=temperror"] {
        assert!(results.contains(unanswered), "{results}");
    }
    site.ends();
}
