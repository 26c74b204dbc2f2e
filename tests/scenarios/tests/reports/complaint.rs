//! A complaint in the Abuse Reporting Format (RFC 5965) is matched to its message.

use test_support::{DnsServer, Sink};

use crate::{comes_in, delivered, pair, relay, report, suppressed, told, zone};

const COMPLAINT: &str = "From: feedback@b.example\r\n\
    To: help@desk.example\r\n\
    Subject: complaint\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n\
    --b\r\n\r\nA reader complains.\r\n\
    --b\r\nContent-Type: message/feedback-report\r\n\r\n\
    Feedback-Type: abuse\r\nUser-Agent: Loop/1.0\r\nVersion: 1\r\n\
    Original-Rcpt-To: x@b.example\r\n\r\n\
    --b\r\nContent-Type: message/rfc822\r\n\r\n\
    From: help@desk.example\r\nTo: x@b.example\r\n\
    Message-ID: <ticket-1@desk.example>\r\n\r\nHello!\r\n--b--\r\n";

#[test]
fn a_complaint_is_matched() {
    let dns = DnsServer::start(zone());
    let (application, server) = (Sink::start(), Sink::at("127.0.0.1:0", &[]));
    let relay = relay(&dns, server.address().port(), application.address());
    let relay = relay.start();
    let (id, return_path) = delivered(&relay, &server);
    comes_in(&relay, "feedback@b.example", &return_path, COMPLAINT);
    let read = report(&relay, &id);
    assert_eq!(read["kind"], "complaint", "{read}");
    assert_eq!(read["recipients"][0]["address"], "x@b.example", "{read}");
    relay.eventually("the complaint is told", |relay| {
        (told(relay) == [pair("complained", "x@b.example")]).then_some(())
    });
    assert_eq!(suppressed(&relay), [pair("x@b.example", "complaint")]);
    drop(server);
    relay.leaves_nothing(application);
}
