//! A domain whose mail leaves through the customer's smart host: our addresses need not be in its
//! SPF record, and the host's own address shows what an outsider makes of it.

use crate::{CUSTOMER, Site, zone};

#[test]
fn the_smart_host_proves_the_domain() {
    let mut zone = zone();
    zone.txt(CUSTOMER, "v=spf1 ip4:198.51.100.25 -all");
    zone.txt("_dmarc.customer.example", "v=DMARC1; p=reject");
    zone.a("smtp.customer.example", [198, 51, 100, 25].into());
    let site = Site::start(zone, "outbound-only").vouched();
    site.connect_to("smtp.customer.example");
    let checked = site.check();
    assert_eq!(checked.code, 0, "{}", checked.report);
    for topic in ["spf", "dkim", "alignment"] {
        assert!(checked.all(topic).is_empty(), "{topic}");
    }
    let outside = checked.outside();
    let said = "smart-host: pass: mail through the smart host smtp.customer.example, if it leaves \
                from the address of the host, passes DMARC: SPF of customer.example proves it\n";
    assert!(outside.contains(said), "{outside}");
    assert!(!outside.contains("our servers"), "{outside}");

    site.dns.zone().forget("smtp.customer.example");
    site.dns
        .zone()
        .a("smtp.customer.example", [198, 51, 100, 26].into());
    let outside = site.check().outside();
    let said = "smart-host: unknown: mail through the smart host smtp.customer.example is proved \
                by that service alone";
    assert!(outside.contains(said), "{outside}");

    site.sign();
    let outside = site.check().outside();
    assert!(
        outside.contains("our signature proves it, if the host keeps it"),
        "{outside}"
    );
}
