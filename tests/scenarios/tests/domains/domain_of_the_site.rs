//! A domain of the site's own: its mail comes to this relay, and the site's keys sign it.

use test_support::DnsServer;

use crate::{NATIVE, Site, check, relay, zone};

#[test]
fn a_native_domain_is_checked_for_the_site() {
    let site = Site::start(zone(), "outbound-only");
    let checked = check(&site.relay, &[NATIVE]);
    assert_eq!(checked.one("mx"), "right");
    assert_eq!(
        checked.one("alignment"),
        "right: SPF of acme.desk.example proves it"
    );
    assert!(
        checked
            .one("dkim")
            .ends_with("make it with `gatepost dkim generate acme.desk.example`")
    );
    assert!(checked.all("ownership").is_empty());
    assert_eq!(checked.code, 0, "{}", checked.report);

    site.dns.zone().forget(NATIVE);
    let checked = check(&site.relay, &[NATIVE]);
    assert_eq!(
        checked.paste("mx"),
        ["acme.desk.example. IN MX 10 mx.desk.example."]
    );
    assert_eq!(
        checked.paste("spf"),
        ["acme.desk.example. IN TXT \"v=spf1 include:_spf.mx.desk.example -all\""]
    );
    assert_eq!(checked.code, 1);
}

#[test]
fn a_domain_of_the_configuration_is_checked_without_a_directory() {
    let mut zone = zone();
    zone.mx("desk.example", 10, "MX.desk.example");
    zone.txt("desk.example", "v=spf1 ip4:203.0.113.9 -all");
    let dns = DnsServer::start(zone);
    let account = "[[account]]\nid = 'site'\ndomains = ['desk.example']\n";
    let mut relay = relay(&dns).with(account).start();
    let checked = check(&relay, &["desk.example"]);
    assert_eq!(checked.code, 0, "{}", checked.report);
    // On the store of a stopped relay, too.
    relay.terminate();
    assert_eq!(check(&relay, &["desk.example"]).report, checked.report);
}
