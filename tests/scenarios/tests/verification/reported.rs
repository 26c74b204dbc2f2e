//! Reports of servers on a probe: they are read and quoted.

use test_support::Taken;

use crate::{ADDRESS, OPEN, Site, SmartHost, assert_failed};

/// A report on this probe, for its sender.
fn report(probe: &Taken, diagnostic: &str) -> String {
    let text = probe.text();
    let head = text.split("\r\n\r\n").next().unwrap();
    format!(
        "From: Mail Delivery System <MAILER-DAEMON@mx.customer.test>\r\n\
         To: {}\r\n\
         Subject: Undelivered Mail Returned to Sender\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\n\r\nIt could not be delivered.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx.customer.test\r\n\r\n\
         Final-Recipient: rfc822; {}\r\nAction: failed\r\nStatus: 5.7.1\r\n\
         Diagnostic-Code: smtp; {diagnostic}\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\n{head}\r\n\r\n--b--\r\n",
        probe.from, probe.to[0]
    )
}

#[test]
fn a_report_to_the_return_path_is_quoted() {
    let site = Site::start("forwarded");
    site.verify("--inbound");
    let probe = site.world.take();
    let said = "550 5.7.520 Access denied, your organization does not allow external forwarding";
    let mut client = site.client(crate::ITS_SERVER);
    let reply = client.deliver("", &[&probe.from], report(&probe, said).as_bytes());
    assert_eq!(reply.unwrap().code, 250);
    let known = site.settled();
    assert_failed(
        &known,
        "inbound",
        "forwarding-forbidden",
        "your server says",
    );
    drop(client);
    site.ends();
}

/// Mail that leaves through the smart host has the customer's own reverse-path, so reports come to
/// the support address.
#[test]
fn a_report_to_the_support_address_is_quoted() {
    let (site, smart_host) = (Site::start("two-way"), SmartHost::start(OPEN));
    site.connection(&smart_host.plain(), None);
    site.verify("--outbound");
    let probe = smart_host.sink.take();
    let said = "554 5.7.1 relay access denied";
    site.relay_in(&site.connector, ADDRESS, report(&probe, said).as_bytes());
    assert_failed(
        &site.settled(),
        "outbound",
        "refused",
        "relay access denied",
    );
    site.ends();
}
