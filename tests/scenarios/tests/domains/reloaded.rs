//! The addresses of the site change by a reload: the check compares with the new ones.

use test_support::DnsServer;

use crate::{CUSTOMER, SPF, Site, relay, zone};

#[test]
fn a_check_knows_the_addresses_of_the_active_configuration() {
    let mut zone = zone();
    zone.txt(CUSTOMER, SPF);
    let dns = DnsServer::start(zone);
    let builder = relay(&dns);
    let site = Site::on(builder.clone().start(), dns, "outbound-only").vouched();
    assert_eq!(
        site.check().one("spf"),
        "advice: right: lets 203.0.113.9 send"
    );
    site.relay
        .reloads(&builder.replace("203.0.113.9", "203.0.113.10"));
    let checked = site.check();
    let said = checked.one("spf");
    let missing = "differs: fail for 203.0.113.10; it includes _spf.mx.desk.example, whose own \
                   record has to name these addresses";
    assert_eq!(said, missing);
    assert_eq!(
        checked.paste("spf"),
        ["_spf.mx.desk.example. IN TXT \"v=spf1 ip4:203.0.113.10 -all\""]
    );
    // The new address has no name yet.
    assert!(checked.one("ptr").starts_with("missing"));
}
