//! A domain for which everything is published: all is right, and the command exits with 0.

use crate::{CUSTOMER, SPF, Site, zone};

#[test]
fn everything_that_is_needed_is_there() {
    let mut zone = zone();
    zone.txt(CUSTOMER, "unrelated").txt(CUSTOMER, SPF);
    zone.txt("_dmarc.customer.example", "v=DMARC1; p=reject");
    let site = Site::start(zone, "outbound-only").vouched();
    site.sign();
    let checked = site.check();
    for finding in checked.report["findings"].as_array().unwrap() {
        let topic = finding["topic"].as_str().unwrap();
        let is_vouched = topic == "ownership" && finding["needed"] == false;
        assert!(finding["standing"] == "right" || is_vouched, "{finding}");
    }
    assert_eq!(checked.code, 0);
    assert_eq!(checked.one("spf"), "advice: right: lets 203.0.113.9 send");
    assert_eq!(
        checked.one("spf-look-ups"),
        "advice: right: 2 terms ask the DNS, 0 look-ups are void"
    );
    assert_eq!(checked.one("alignment"), "right: our signature proves it");
    let outside = checked.outside();
    assert!(
        outside.contains("spf: pass: SPF of customer.example: pass for 203.0.113.9\n"),
        "{outside}"
    );
    let mx = "mx: pass: mail from our servers passes DMARC: our signature proves it\n";
    assert!(outside.contains(mx), "{outside}");

    let shown = site.relay.command(&["domain", "check", CUSTOMER]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.ends_with("all that is needed is there\n"), "{shown}");
    assert!(shown.contains("right               SPF"), "{shown}");
    // A check shows no secret of the directory.
    assert!(!shown.contains("PRIVATE"), "{shown}");
}
