//! Who takes the mail of a domain: the customer's servers, this relay, both, or nobody.

use test_support::Zone;

use crate::{CUSTOMER, NATIVE, Site, zone};

fn said(kind: &str, change: impl Fn(&mut Zone), topic: &str) -> String {
    let mut zone = zone();
    change(&mut zone);
    Site::start(zone, kind).vouched().check().one(topic)
}

#[test]
fn the_customers_servers_take_its_mail() {
    assert_eq!(said("two-way", |_| {}, "mx"), "right");
    let here = |zone: &mut Zone| {
        zone.forget(CUSTOMER).mx(CUSTOMER, 10, "mx.desk.example");
    };
    let past = said("two-way", here, "mx");
    assert!(
        past.starts_with("differs: mail comes straight to this relay, past"),
        "{past}"
    );
    let straight = said("outbound-only", here, "mx");
    assert!(
        straight.starts_with("right: mail comes straight to this relay"),
        "{straight}"
    );
    // By its address, whatever its name is.
    let by_address = |zone: &mut Zone| {
        zone.mx(CUSTOMER, 5, "in.customer.example");
        zone.a("in.customer.example", [203, 0, 113, 9].into());
    };
    let both = said("outbound-only", by_address, "mx");
    let other = "and some goes to mail.customer.example";
    assert!(
        both.starts_with("differs: some mail comes") && both.contains(other),
        "{both}"
    );
    let null = |zone: &mut Zone| {
        zone.forget(CUSTOMER).mx(CUSTOMER, 0, "");
    };
    let nobody = said("outbound-only", null, "mx");
    assert_eq!(
        nobody,
        "differs: the domain takes no mail, so none comes to us"
    );
    let gone = |zone: &mut Zone| {
        zone.forget(CUSTOMER);
    };
    assert!(said("two-way", gone, "mx").starts_with("missing: no server takes its mail"));
}

#[test]
fn forwarded_mail_has_to_reach_the_native_domain() {
    let elsewhere = |zone: &mut Zone| {
        zone.mx(NATIVE, 20, "backup.example");
    };
    let some = said("outbound-only", elsewhere, "forwarding");
    assert_eq!(some, "differs: some of its mail goes to backup.example");
    let all = |zone: &mut Zone| {
        zone.forget(NATIVE).mx(NATIVE, 20, "backup.example");
    };
    let all = said("outbound-only", all, "forwarding");
    assert_eq!(
        all,
        "differs: its mail goes to backup.example, and not to this relay"
    );
    let site = Site::start(zone(), "two-way").vouched();
    assert!(site.check().all("forwarding").is_empty());
}
