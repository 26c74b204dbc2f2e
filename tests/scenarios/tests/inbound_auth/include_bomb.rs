//! An SPF record includes others without end: SPF gives `permerror` after few look-ups.

use test_support::Zone;

use crate::{STRANGER, Site, eml};

#[test]
fn spf_includes_end_after_ten_look_ups() {
    let mut zone = Zone::new();
    zone.txt("author.example", "v=spf1 include:0.author.example -all");
    for number in 0..200 {
        let record = format!(
            "v=spf1 include:{}.author.example include:{}.author.example -all",
            2 * number + 1,
            2 * number + 2
        );
        zone.txt(&format!("{number}.author.example"), record);
    }
    let site = Site::start(zone, "{}");
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    let results = site.sink.take().header("Authentication-Results").unwrap();
    assert!(results.contains("spf=permerror"), "{results}");
    let asked = (site.dns.asked().iter())
        .filter(|question| {
            question.name.ends_with(".author.example.")
                || question.name.ends_with(".author.example")
        })
        .count();
    assert!(asked < 40, "{asked} questions");
    site.ends();
}
