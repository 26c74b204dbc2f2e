//! A name server that does not answer: what cannot be looked up is said, and the command exits with
//! 2, unless something is missing for certain.

use test_support::zone::{Fault, RecordType};

use crate::{CUSTOMER, SPF, Site, zone};

#[test]
fn what_cannot_be_looked_up_is_neither_right_nor_missing() {
    let mut zone = zone();
    zone.txt(CUSTOMER, SPF);
    zone.fault_of(CUSTOMER, RecordType::MX, Fault::ServFail);
    let site = Site::start(zone, "outbound-only").vouched();
    site.sign();
    let checked = site.check();
    let said = checked.one("mx");
    assert!(said.starts_with("unanswered: customer.example: "), "{said}");
    assert_eq!(checked.code, 2, "{}", checked.report);

    site.dns.zone().forget("mx.desk.example");
    assert_eq!(site.check().code, 1);
    let shown = site.relay.command(&["domain", "check", CUSTOMER]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("no answer           MX"), "{shown}");
}
