//! The look-ups of an SPF record are counted through all that it includes, loops and void ones too.

use crate::{CUSTOMER, Site, zone};

fn site(record: &str, more: &[(&str, &str)]) -> Site {
    let mut zone = zone();
    zone.txt(CUSTOMER, record);
    for (name, record) in more {
        zone.txt(name, record);
    }
    Site::start(zone, "outbound-only").vouched()
}

#[test]
fn more_than_ten_are_an_error_to_receivers() {
    let nested = "v=spf1 a:1.b.example a:2.b.example a:3.b.example a:4.b.example -all";
    let record = "v=spf1 include:b.example include:b.example include:_spf.mx.desk.example -all";
    let mut zone = zone();
    zone.txt(CUSTOMER, record).txt("b.example", nested);
    for number in 1..=4 {
        zone.a(
            &format!("{number}.b.example"),
            [198, 51, 100, number].into(),
        );
        zone.aaaa(
            &format!("{number}.b.example"),
            std::net::Ipv6Addr::LOCALHOST,
        );
    }
    let checked = Site::start(zone, "outbound-only").vouched().check();
    let many = "differs: 11 terms ask the DNS, 0 look-ups are void: receivers answer with an error \
                (permerror)";
    assert_eq!(checked.one("spf-look-ups"), many);
    // They end at the eleventh, before the site's own record is read.
    let spf = checked.one("spf");
    assert!(
        spf.starts_with("differs: permerror for 203.0.113.9 (more than 10 terms"),
        "{spf}"
    );
    assert_eq!(checked.code, 1);
}

#[test]
fn a_loop_and_void_look_ups_are_named() {
    let loops = site(
        "v=spf1 include:b.example -all",
        &[("b.example", "v=spf1 include:customer.example -all")],
    );
    let said = loops.check().one("spf-look-ups");
    let way = "a loop: customer.example -> b.example -> customer.example";
    assert!(said.contains(way), "{said}");

    let void = site(
        "v=spf1 a:x.example a:y.example mx:z.example include:_spf.mx.desk.example -all",
        &[],
    );
    let said = void.check().one("spf-look-ups");
    assert!(
        said.starts_with("differs: 4 terms ask the DNS, 3 look-ups are void"),
        "{said}"
    );
}

#[test]
fn an_include_without_room_is_said_before_it_is_pasted() {
    let terms: String = (0..10).map(|_| " exists:%{i}.b.example").collect();
    let checked = site(&format!("v=spf1{terms} -all"), &[]).check();
    let said = checked.one("spf-look-ups");
    let room = "with include:_spf.mx.desk.example it would have 11: take others out first";
    assert!(
        said.starts_with("right: 10 terms") && said.contains(room),
        "{said}"
    );
    let pasted = checked.paste("spf").remove(0);
    assert!(
        pasted.contains("\"v=spf1 include:_spf.mx.desk.example exists:"),
        "{pasted}"
    );
}
