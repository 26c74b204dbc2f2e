//! Probes that do not come back in the time that they have.

use crate::{ADDRESS, OPEN, Site, SmartHost, assert_failed};

/// Time that a probe has in these scenarios.
const SOON: &str = "[verification]\nwait = \"3s\"\nevery = \"0s\"\n";

#[test]
fn it_is_accepted_and_never_comes_back() {
    let site = Site::with("two-way", "", SOON);
    site.verify("--inbound");
    site.world.take();
    assert_failed(
        &site.settled(),
        "inbound",
        "never-returned",
        "never came back",
    );
    site.ends();
}

#[test]
fn it_is_greylisted_for_longer() {
    let greylist = "[greylist]\nperiod = '1h'\nreply = '451 4.7.1 Greylisted, try again later'\n";
    let site = Site::with("forwarded", greylist, SOON);
    site.verify("--inbound");
    assert_failed(
        &site.settled(),
        "inbound",
        "greylisted-too-long",
        "Greylisted",
    );
    site.ends();
}

#[test]
fn the_mailbox_is_full_all_the_time() {
    let full = "[[on]]\ncommand = 'RCPT'\nreply = '452 4.2.2 Mailbox full'\n";
    let site = Site::with("forwarded", full, SOON);
    site.verify("--inbound");
    assert_failed(&site.settled(), "inbound", "mailbox-full", "4.2.2");
    site.ends();
}

#[test]
fn the_quota_of_the_smart_host_is_used_up() {
    let script =
        "[[on]]\ncommand = 'MESSAGE'\nreply = '550 5.4.5 Daily user sending limit exceeded'\n";
    let (site, smart_host) = (
        Site::with("outbound-only", "", SOON),
        SmartHost::start(script),
    );
    site.connection(&format!("{}profile = 'gmail'\n", smart_host.plain()), None);
    site.verify("--outbound");
    assert_failed(
        &site.settled(),
        "outbound",
        "quota-reached",
        "sending limit",
    );
    site.ends();
}

/// A message may be lost for many causes: what was verified stays so, and the account is warned.
#[test]
fn a_lost_probe_warns_where_the_way_was_proved() {
    let (site, smart_host) = (
        Site::with("outbound-only", "", SOON),
        SmartHost::start(OPEN),
    );
    site.connection(&smart_host.plain(), None);
    site.verify("--outbound");
    let probe = smart_host.sink.take();
    site.deliver(&probe, &probe.bytes());
    assert_eq!(site.settled()["outbound"]["state"], "verified");

    let begun = site.verify("--outbound");
    assert_eq!(
        begun["outbound"]["state"], "verified",
        "it stays so meanwhile: {begun}"
    );
    smart_host.sink.take();
    let known = site.settled();
    assert_eq!(known["outbound"]["state"], "verified", "{known}");
    assert_eq!(
        known["outbound"]["check"]["reason"], "never-returned",
        "{known}"
    );
    let told = site.relay.json(&["events", "--kind", "notice"]);
    let text = told.last().unwrap()["text"].as_str().unwrap();
    assert!(
        text.contains(&format!("{ADDRESS} stays verified, although")),
        "{told:?}"
    );
    site.ends();
}

/// The smart host's own no is something else.
#[test]
fn a_refusal_of_the_smart_host_ends_what_was_proved() {
    let refuses = "[[on]]\ncommand = 'MESSAGE'\nafter = 1\nreply = '550 5.7.60 not your address'\n";
    let (site, smart_host) = (
        Site::with("outbound-only", "", SOON),
        SmartHost::start(refuses),
    );
    site.connection(&smart_host.plain(), None);
    site.verify("--outbound");
    let probe = smart_host.sink.take();
    site.deliver(&probe, &probe.bytes());
    assert_eq!(site.settled()["outbound"]["state"], "verified");
    site.verify("--outbound");
    assert_failed(&site.settled(), "outbound", "sender-not-allowed", "5.7.60");
    site.ends();
}
