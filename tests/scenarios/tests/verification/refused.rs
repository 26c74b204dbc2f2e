//! Servers that refuse a probe: the smart host, and the server of the customer's domain.

use crate::{Site, SmartHost, assert_failed};

/// Verifies mail that leaves through a smart host that answers so.
fn smart_host_refuses(command: &str, reply: &str, reason: &str) {
    let script = format!("[[on]]\ncommand = '{command}'\nreply = '{reply}'\n");
    let (site, smart_host) = (Site::start("outbound-only"), SmartHost::start(&script));
    site.connection(&smart_host.plain(), None);
    site.verify("--outbound");
    assert_failed(&site.settled(), "outbound", reason, &reply[4..12]);
    assert!(smart_host.sink.rest().is_empty());
    site.ends();
}

/// Verifies mail that comes in, where the customer's server answers so.
fn server_refuses(command: &str, reply: &str, reason: &str) {
    let script = format!("[[on]]\ncommand = '{command}'\nreply = '{reply}'\n");
    let site = Site::with("forwarded", &script, "");
    site.verify("--inbound");
    assert_failed(&site.settled(), "inbound", reason, &reply[4..12]);
    site.ends();
}

#[test]
fn the_user_may_not_send_as_the_address() {
    let reply = "550 5.7.60 SMTP; Client does not have permissions to send as this sender";
    smart_host_refuses("MESSAGE", reply, "sender-not-allowed");
}

#[test]
fn the_store_denies_to_send_as_the_address() {
    let reply =
        "554 5.2.252 SendAsDenied; desk@customer.test not allowed to send as help@customer.test";
    smart_host_refuses("MESSAGE", reply, "sender-not-allowed");
}

#[test]
fn the_smart_host_refuses_for_another_cause() {
    smart_host_refuses("MESSAGE", "554 5.6.0 we do not like it", "refused");
}

#[test]
fn the_mailbox_does_not_exist() {
    server_refuses("RCPT", "550 5.1.1 no such user here", "no-such-mailbox");
}

#[test]
fn forwarding_to_the_outside_is_forbidden() {
    let reply = "550 5.7.520 Access denied, your organization does not allow external forwarding";
    server_refuses("MESSAGE", reply, "forwarding-forbidden");
}
