//! The administrators of an account are told when its mail does not go its way any more, and when it
//! does again.

use crate::{ADDRESS, LOGIN, NATIVE, Site, SmartHost};

const ANN: &str = "ann@elsewhere.test";

/// Password that the smart host knows.
const RIGHT: &str = "hush-of-the-desk";

/// Returns the subject of the next letter to Ann.
fn told(site: &Site) -> String {
    let letter = site.world.take();
    assert_eq!(letter.to, [ANN], "{letter:?}");
    letter.header("Subject").unwrap()
}

/// Adds Ann as a verified administrator.
fn add_ann(site: &Site) {
    site.relay.json(&["administrator", "add", NATIVE, ANN]);
    let subject = told(site);
    let code = subject.rsplit(' ').next().unwrap();
    (site.relay).json(&["administrator", "verify", NATIVE, ANN, code]);
}

#[test]
fn a_lost_record_and_its_return_are_told() {
    let site = Site::start("outbound-only");
    add_ann(&site);
    site.sign();
    let shown = site.relay.json(&["dkim", "show", "customer.test"]);
    let name = shown[0]["record"]["name"].as_str().unwrap();
    let strings = shown[0]["record"]["strings"].as_array().unwrap().iter();
    let record: String = strings.map(|text| text.as_str().unwrap()).collect();
    let about = name.trim_end_matches('.');

    site.dns.zone().forget(name);
    site.relay.json(&["dkim", "check", "customer.test"]);
    assert_eq!(
        told(&site),
        format!("Acme: The DKIM record of {about} is lost")
    );
    site.dns.zone().txt(name, record);
    site.relay.json(&["dkim", "check", "customer.test"]);
    // So long a subject is encoded (RFC 2047).
    let subject = told(&site).replace('_', " ");
    assert!(subject.contains("is there again"), "{subject}");
    site.ends();
}

#[test]
fn a_broken_connection_and_its_mending_are_told() {
    let (site, smart_host) = (Site::start("outbound-only"), SmartHost::start(LOGIN));
    add_ann(&site);
    let settings = smart_host.with_login();
    site.connection(&settings, Some("wrong"));
    (site.relay).json(&["connector", "vouch", &site.connector, "--outbound"]);
    let made = (site.relay).json(&["credential", "add", "--submission", NATIVE]);
    site.submit(&made[0], ADDRESS);
    assert_eq!(told(&site), "Acme: The connection out is broken");
    site.change_connection(&settings, Some(RIGHT));
    assert_eq!(smart_host.sink.take().to, [ANN]);
    assert_eq!(told(&site), "Acme: The connection out works again");
    site.ends();
}

#[test]
fn a_failed_verification_is_told() {
    let (site, smart_host) = (Site::start("outbound-only"), SmartHost::start(LOGIN));
    add_ann(&site);
    site.connection(&smart_host.with_login(), Some("wrong"));
    site.verify("--outbound");
    assert_eq!(told(&site), format!("Acme: {ADDRESS} is not verified"));
    site.ends();
}
