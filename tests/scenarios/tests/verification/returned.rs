//! Probes that come back in another way, or otherwise than they left: each has its reason.

use test_support::Taken;

use crate::{ADDRESS, ITS_SERVER, OPEN, Site, SmartHost, assert_failed};

/// Takes an inbound probe of a two-way connector, and sends it back over the session, changed so.
fn comes_back(change: impl FnOnce(&Taken) -> String, reason: &str, words: &str) {
    let site = Site::start("two-way");
    site.verify("--inbound");
    let probe = site.world.take();
    let changed = change(&probe);
    assert_ne!(changed, probe.text(), "nothing is changed");
    let reply = site.relay_in(&site.connector, ADDRESS, changed.as_bytes());
    assert_eq!(reply.code, 250, "{}", reply.text());
    assert_failed(&site.settled(), "inbound", reason, words);
    site.ends();
}

/// Drops a field, which stands on one line.
fn without(message: &str, field: &str) -> String {
    let lines = message.split("\r\n");
    let kept: Vec<_> = lines.filter(|line| !line.starts_with(field)).collect();
    kept.join("\r\n")
}

#[test]
fn from_is_rewritten() {
    let rewritten = |probe: &Taken| {
        let from = probe.header("From").unwrap();
        probe.text().replace(&from, "Gate <gate@customer.test>")
    };
    comes_back(rewritten, "from-rewritten", "gate@customer.test");
}

#[test]
fn a_field_is_lost() {
    let lost = |probe: &Taken| without(&probe.text(), "X-Gatepost-From-Account-Id:");
    comes_back(lost, "header-lost", "X-Gatepost-From-Account-Id");
}

#[test]
fn a_field_is_altered() {
    let altered = |probe: &Taken| {
        let text = probe.text();
        text.replace(
            "X-Auto-Response-Suppress: All",
            "X-Auto-Response-Suppress: None",
        )
    };
    comes_back(altered, "header-altered", "X-Auto-Response-Suppress");
}

#[test]
fn it_comes_past_the_session() {
    let site = Site::start("two-way");
    site.verify("--inbound");
    let probe = site.world.take();
    let mut client = site.client(ITS_SERVER);
    let reply = client
        .deliver(&probe.from, &[ADDRESS], &probe.bytes())
        .unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    let known = site.settled();
    assert_failed(
        &known,
        "inbound",
        "returned-unauthenticated",
        "unauthenticated",
    );
    drop(client);
    site.ends();
}

#[test]
fn it_comes_over_the_session_of_another_domain() {
    let site = Site::start("two-way");
    let claim = [
        "--domain",
        "other.test",
        "--kind",
        "two-way",
        "--account",
        crate::NATIVE,
    ];
    let made = site
        .relay
        .json(&[&["connector", "add"], &claim[..]].concat());
    let other = made[0]["id"].as_str().unwrap().to_owned();
    site.relay.json(&["connector", "vouch", &other]);
    site.add_address("help@other.test");
    site.verify("--inbound");
    let probe = site.world.take();
    site.relay_in(&other, "help@other.test", &probe.bytes());
    let reason = "returned-from-another-domain";
    assert_failed(
        &site.settled(),
        "inbound",
        reason,
        "other.test instead of customer.test",
    );
    site.ends();
}

#[test]
fn it_comes_to_another_address() {
    let site = Site::start("two-way");
    site.add_address("sales@customer.test");
    site.verify("--inbound");
    let probe = site.world.take();
    site.relay_in(&site.connector, "sales@customer.test", &probe.bytes());
    let reason = "returned-to-another-address";
    assert_failed(
        &site.settled(),
        "inbound",
        reason,
        "sales@customer.test instead of",
    );
    site.ends();
}

#[test]
fn the_signature_is_replaced() {
    let (site, smart_host) = (Site::start("outbound-only"), SmartHost::start(OPEN));
    site.connection(&smart_host.plain(), None);
    site.sign();
    site.verify("--outbound");
    let probe = smart_host.sink.take();
    let text = probe.text();
    // Of both signatures.
    let name = "DKIM-Signature:";
    let head = text.find(name).unwrap();
    let rest = text.rfind(name).unwrap();
    let end = text[rest..]
        .find("\r\nReceived:")
        .or(text[rest..].find("\r\nFrom:"));
    let end = rest + end.unwrap() + 2;
    let other =
        "DKIM-Signature: v=1; a=ed25519-sha256; d=gateway.test; s=x; h=From; bh=YQ==; b=YQ==\r\n";
    let replaced = format!("{}{other}{}", &text[..head], &text[end..]);
    site.deliver(&probe, replaced.as_bytes());
    assert_failed(
        &site.settled(),
        "outbound",
        "signature-replaced",
        "gateway.test",
    );
    site.ends();
}

/// The smart host delivers from an address that SPF does not allow, and nothing is signed.
#[test]
fn nothing_proves_the_sender() {
    let (site, smart_host) = (Site::start("outbound-only"), SmartHost::start(OPEN));
    site.connection(&smart_host.plain(), None);
    site.verify("--outbound");
    let probe = smart_host.sink.take();
    let mut client = site.client("203.0.113.77");
    let reply = client
        .deliver(&probe.from, &[&probe.to[0]], &probe.bytes())
        .unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    let known = site.settled();
    assert_failed(&known, "outbound", "returned-unauthenticated", "SPF fail");
    drop(client);
    site.ends();
}
