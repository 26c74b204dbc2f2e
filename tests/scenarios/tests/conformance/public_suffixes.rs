//! The public suffix list: if the relay is set to use it, an author's domain is judged by the
//! policy of the domain below the suffix.

use test_support::Zone;
use test_support::suites::public_suffixes::Case;

use crate::{NOBODY, Site, word};

/// Names of authors' domains.
const SAMPLE: [&str; 9] = [
    "example.com",
    "a.b.example.com",
    "b.example.uk.com",
    "a.b.c.mm",
    "www.test.jp",
    "www.city.kobe.jp",
    "www.test.k12.ak.us",
    "a.b.example.example",
    "www.xn--85x722f.com.cn",
];

#[test]
fn the_domain_below_the_suffix_decides() {
    let Some(cases) = Case::all() else { return };
    let sample = |case: &&Case| SAMPLE.contains(&&*case.name) && case.expected.is_some();
    let sample: Vec<_> = cases.iter().filter(sample).collect();
    assert_eq!(sample.len(), SAMPLE.len());
    let mut zone = Zone::new();
    for case in &sample {
        let domain = case.expected.as_deref().unwrap();
        let name = format!("_dmarc.{domain}");
        zone.forget(&name).txt(&name, "v=DMARC1; p=reject");
    }
    let site = Site::with(zone, "organization = \"public-suffix-list\"");
    for case in sample {
        let message = format!("From: a@{}\r\nSubject: a\r\n\r\nbody\r\n", case.name);
        let judged = site.judged(&NOBODY, message.as_bytes());
        let found = word(&judged.found["dmarc"]["organizational-domain"]);
        assert_eq!(Some(found), case.expected.as_deref(), "{judged:?}");
        let written = "dmarc=fail (p=reject)";
        assert!(judged.written.contains(written), "{judged:?}");
    }
    site.ends();
}
