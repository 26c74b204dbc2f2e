//! A domain for which nothing is published: each record is printed as it has to be pasted, and with
//! these records all is right.

use test_support::Zone;

use crate::{CUSTOMER, Site};

/// Adds the lines of a zone file to a zone.
fn paste(zone: &mut Zone, lines: &[String]) {
    for line in lines {
        let (name, rest) = line.split_once(" IN ").unwrap();
        let (kind, value) = rest.split_once(' ').unwrap();
        match kind {
            "TXT" => {
                let strings: Vec<_> = value.split('"').skip(1).step_by(2).collect();
                let strings: Vec<_> = strings.iter().map(|text| text.as_bytes()).collect();
                zone.txt_strings(name, &strings);
            }
            "MX" => {
                let (preference, host) = value.split_once(' ').unwrap();
                zone.mx(name, preference.parse().unwrap(), host);
            }
            "A" => {
                zone.a(name, value.parse().unwrap());
            }
            "PTR" => {
                zone.ptr_at(name, value);
            }
            _ => panic!("{line}"),
        }
    }
}

#[test]
fn what_is_pasted_makes_all_right() {
    let mut empty = Zone::new();
    empty.set_ttl(0);
    empty.mx(CUSTOMER, 10, "mail.customer.example");
    empty.a("mail.customer.example", [198, 51, 100, 1].into());
    let site = Site::start(empty, "outbound-only");
    site.make_keys();
    let checked = site.check();
    assert_eq!(checked.code, 1);
    assert_eq!(
        checked.one("spf"),
        "missing: there is no SPF record; name your other servers in front of ~all, too"
    );
    assert_eq!(
        checked.paste("spf"),
        ["customer.example. IN TXT \"v=spf1 mx include:_spf.mx.desk.example ~all\""]
    );
    assert_eq!(
        checked.one("forwarding"),
        "missing: no mail for the domain comes here"
    );
    assert_eq!(
        checked.paste("forwarding"),
        ["acme.desk.example. IN MX 10 mx.desk.example."]
    );
    assert_eq!(checked.one("alignment"), "differs: neither proves it");
    assert_eq!(checked.one("dmarc").split(':').next(), Some("advice"));
    assert_eq!(checked.one("ptr"), "missing: the address has no name");
    assert_eq!(
        checked.one("ehlo"),
        "missing: the name in EHLO has no address"
    );
    assert_eq!(
        checked.paste("site-spf"),
        ["_spf.mx.desk.example. IN TXT \"v=spf1 ip4:203.0.113.9 -all\""]
    );
    assert_eq!(checked.all("dkim").len(), 2);

    let mut pasted: Vec<String> = Vec::new();
    for finding in checked.report["findings"].as_array().unwrap() {
        for line in crate::lines(&finding["paste"]) {
            if !pasted.contains(&line) {
                pasted.push(line);
            }
        }
    }
    paste(&mut site.dns.zone(), &pasted);
    let checked = site.check();
    for finding in checked.report["findings"].as_array().unwrap() {
        assert_eq!(finding["standing"], "right", "{finding}");
    }
    assert_eq!(checked.code, 0);
    site.relay.json(&["connector", "prove", &site.connector]);
}
