//! The names of the site: an address that mail leaves from has a name that leads back to it, and so
//! has the name in EHLO.

use test_support::Zone;

use crate::{Site, zone};

fn checked(change: impl Fn(&mut Zone)) -> crate::Checked {
    let mut zone = zone();
    change(&mut zone);
    Site::start(zone, "outbound-only").vouched().check()
}

#[test]
fn an_address_is_named_by_a_name_that_has_it() {
    let reverse = "9.113.0.203.in-addr.arpa";
    let wrong = checked(|zone| {
        zone.forget(reverse).ptr_at(reverse, "other.example");
    });
    assert_eq!(
        wrong.one("ptr"),
        "differs: no name of the address has the address"
    );
    assert_eq!(
        wrong.paste("ptr"),
        [
            "9.113.0.203.in-addr.arpa. IN PTR mx.desk.example.",
            "mx.desk.example. IN A 203.0.113.9"
        ]
    );
    assert_eq!(wrong.code, 1);
    let other = checked(|zone| {
        zone.forget(reverse).ptr_at(reverse, "other.example");
        zone.a("other.example", [203, 0, 113, 9].into());
    });
    let said = "right: the name is not the one in EHLO, mx.desk.example";
    assert_eq!(other.one("ptr"), said);
    let moved = checked(|zone| {
        zone.forget("mx.desk.example");
        zone.a("mx.desk.example", [198, 51, 100, 99].into());
    });
    let said = "differs: the name in EHLO has other addresses than mail leaves from";
    assert_eq!(moved.one("ehlo"), said);
    assert_eq!(moved.paste("ehlo"), ["mx.desk.example. IN A 203.0.113.9"]);
}
