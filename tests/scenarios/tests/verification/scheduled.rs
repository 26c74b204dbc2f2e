//! The schedule: addresses are verified again, unless live mail proves the same.

use crate::{ADDRESS, Site};

#[test]
fn an_address_is_verified_again_on_the_schedule() {
    let site = Site::with("two-way", "", "[verification]\nevery = \"2s\"\n");
    site.verify("--inbound");
    site.relay_in(&site.connector, ADDRESS, &site.world.take().bytes());
    assert_eq!(site.settled()["inbound"]["state"], "verified");
    // Nobody asked for this one.
    let again = site.world.take();
    assert_eq!(again.to, [ADDRESS]);
    assert_eq!(site.known()["inbound"]["state"], "verified");
    site.relay_in(&site.connector, ADDRESS, &again.bytes());
    let known = site.settled();
    assert_eq!(known["inbound"]["state"], "verified", "{known}");
    let told = site.relay.json(&["events", "--kind", "notice"]);
    assert_eq!(told.len(), 1, "only what is news is told: {told:?}");
}
