//! Mail for a two-way domain that comes past its relay is in the audit log, once an hour; mail over a
//! session with its credential is not, and neither is mail for a disconnected domain.

use crate::{DEFAULT, QUESTION, SUPPORT, Site};

#[test]
fn mail_past_the_relay_is_told_of_once() {
    let site = Site::start();
    let send = |to: &str| {
        let mut client = site.relay.client("mx");
        client.ehlo();
        let reply = client.deliver("ann@author.example", &[to], QUESTION);
        assert_eq!(reply.unwrap().code, 250);
        site.application.take();
    };
    let credential = site.inbound();
    let (mut client, _) = credential.log_in(&site.relay, "mx");
    let reply = client.deliver("ann@author.example", &[SUPPORT], QUESTION);
    assert_eq!(reply.unwrap().code, 250);
    site.application.take();
    send(DEFAULT);
    site.relay
        .json(&["connector", "disconnect", &site.connector]);
    send(SUPPORT);
    site.relay
        .json(&["connector", "reconnect", &site.connector]);
    for _ in 0..3 {
        send(SUPPORT);
    }
    let entry = site.relay.eventually("it is in the audit log", |_| {
        site.audited("mail-unauthenticated").pop()
    });
    assert_eq!(entry["subject"], "acme.test");
    assert_eq!(entry["origin"], "127.0.0.1");
    assert_eq!(site.audited("mail-unauthenticated").len(), 1);
    site.ends();
}
