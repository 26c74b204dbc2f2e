//! A message that was forwarded more than once has the tag `multi-hop` and names its requester.

use crate::{ITS_OWN, Site, author, eml};

#[test]
fn mail_forwarded_twice_names_its_requester() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    assert_eq!(site.direct(ITS_OWN, &eml("forwarded-twice")).code, 250);
    let taken = site.sink.take();
    assert_eq!(
        taken.header("X-Gatepost-Tags").as_deref(),
        Some("multi-hop")
    );
    // Not our own address, which stands before it.
    let requester = taken.header("X-Gatepost-Requester");
    assert_eq!(requester.as_deref(), Some("<ann@home.example>"));
    site.ends();
}
