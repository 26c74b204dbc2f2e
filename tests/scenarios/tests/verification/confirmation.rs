//! A provider forwards only after somebody has entered a code: the relay shows it.

use crate::{ADDRESS, Site, assert_failed};

const DEMAND: &str = "From: Google <forwarding-noreply@google.com>\r\n\
    To: help@acme.desk.test\r\n\
    Subject: (#123456789) Mail from help@customer.test\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\r\n\
    help@customer.test wants to forward mail to help@acme.desk.test.\r\n\
    Code: 123456789\r\n\r\n\
    https://mail-settings.google.com/mail/vf-%5BAbc%5D-def\r\n";

/// From where the provider sends.
const PROVIDER: &str = "198.51.100.7";

fn demand(site: &Site, client: &str) {
    let mut session = site.client(client);
    let from = "forwarding-noreply@google.com";
    let to = ["help@acme.desk.test"];
    let reply = session.deliver(from, &to, DEMAND.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    // It is ordinary mail as well.
    assert!(site.application.take().text().contains("123456789"));
}

#[test]
fn the_code_of_a_provider_is_shown() {
    let site = Site::start("forwarded");
    let record = format!("v=spf1 ip4:{PROVIDER} -all");
    site.dns.zone().txt("google.com", record);
    site.verify("--inbound");
    site.world.take();
    // Anybody can say so.
    demand(&site, "203.0.113.77");
    assert_eq!(site.known()["inbound"]["state"], "pending");
    demand(&site, PROVIDER);
    let known = site.settled();
    assert_failed(&known, "inbound", "confirmation-waiting", "123456789");
    site.ends();
}

#[test]
fn a_code_that_comes_before_a_probe_is_shown() {
    let site = Site::start("forwarded");
    let record = format!("v=spf1 ip4:{PROVIDER} -all");
    site.dns.zone().txt("google.com", record);
    demand(&site, PROVIDER);
    let known = site.relay.eventually("the code is on record", |relay| {
        let known = relay.json(&["address", "show", ADDRESS]).remove(0);
        (known["inbound"]["state"] == "failed").then_some(known)
    });
    assert_eq!(
        known["inbound"]["reason"], "confirmation-waiting",
        "{known}"
    );
    let words = known["inbound"]["words"].as_str().unwrap();
    assert!(words.contains("123456789"), "{words}");
    site.ends();
}
