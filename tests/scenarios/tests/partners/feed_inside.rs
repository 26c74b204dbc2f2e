//! A feed that leads into the relay's own network is not fetched, however its host is written,
//! resolved or redirected to, unless the operator allows the network.

use std::net::Ipv4Addr;

use test_support::{Certificate, DnsServer, ListServer, Published, Sink, Zone};

use crate::{guarded, is_partner, two};

#[test]
fn a_feed_inside_is_refused_and_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::make(folder.path());
    let server = ListServer::start(&certificate);
    server.publish_text("ann@partner.example\n", None);
    let mut zone = Zone::new();
    zone.cname("feeds.partner.example", "inside.partner.example")
        .a("inside.partner.example", Ipv4Addr::LOCALHOST);
    let dns = DnsServer::start(zone);
    let sink = Sink::start();
    let usual = guarded(&sink)
        .with(&format!("[dns]\nservers = [\"{}\"]", dns.address()))
        .with(&format!(
            "[directory]\nfeed-ca-file = \"{}\"",
            certificate.certificate.display()
        ));
    let relay = usual.clone().start();
    two(&relay);
    let usual_url = server.url("/partners");
    let (inside, no_host) = (
        "destinations.allowed-networks",
        "is not an https URL of a host",
    );
    for (host, why) in [
        ("localhost", inside),
        ("127.0.0.1", inside),
        ("[::ffff:127.0.0.1]", inside),
        ("feeds.partner.example", inside),
        ("127.1", no_host),
        ("2130706433", no_host),
        ("0x7f.0.0.1", no_host),
    ] {
        let url = usual_url.replace("localhost", host);
        relay.json(&[
            "partner",
            "feed",
            "add",
            "a.desk.test",
            &url,
            "--every",
            "1h",
        ]);
        let said = relay.refuses(&["partner", "feed", "fetch", "a.desk.test", &url]);
        assert!(said.contains(why), "{host}: {said}");
        relay.json(&["partner", "feed", "remove", "a.desk.test", &url]);
    }
    assert!(server.answered().is_empty());

    // The operator allows one address, and a redirect leads to its neighbour.
    let allowed = "[destinations]\nallowed-networks = [\"127.0.0.1/32\"]";
    relay.reloads(&usual.with(allowed));
    relay.json(&[
        "partner",
        "feed",
        "add",
        "a.desk.test",
        &usual_url,
        "--every",
        "1h",
    ]);
    relay.json(&["partner", "feed", "fetch", "a.desk.test", &usual_url]);
    assert!(is_partner(&relay, "ann@partner.example"));
    let beside = usual_url.replace("localhost", "127.0.0.2");
    server.publish(Published::Elsewhere(beside));
    let said = relay.refuses(&["partner", "feed", "fetch", "a.desk.test", &usual_url]);
    assert!(said.contains("127.0.0.2, which is loopback"), "{said}");
    assert!(is_partner(&relay, "ann@partner.example"));
    relay.leaves_nothing(sink);
}
