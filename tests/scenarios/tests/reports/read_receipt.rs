//! A read receipt is recorded for its message as read, and is no failure.

use test_support::{DnsServer, Sink};

use crate::{comes_in, delivered, relay, report, zone};

const RECEIPT: &str = "From: x@b.example\r\n\
    To: help@desk.example\r\n\
    Subject: Read: your ticket\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n\
    --b\r\n\r\nThe message was read.\r\n\
    --b\r\nContent-Type: message/disposition-notification\r\n\r\n\
    Final-Recipient: rfc822; x@b.example\r\n\
    Original-Message-ID: <ticket-1@desk.example>\r\n\
    Disposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--\r\n";

#[test]
fn a_read_receipt_is_no_failure() {
    let dns = DnsServer::start(zone());
    let (application, server) = (Sink::start(), Sink::at("127.0.0.1:0", &[]));
    let relay = relay(&dns, server.address().port(), application.address());
    let relay = relay.start();
    let (id, return_path) = delivered(&relay, &server);
    comes_in(&relay, "", &return_path, RECEIPT);
    let read = report(&relay, &id);
    assert_eq!(read["kind"], "read", "{read}");
    assert_eq!(read["recipients"][0]["address"], "x@b.example", "{read}");
    assert_eq!(
        read["recipients"][0]["action"],
        serde_json::Value::Null,
        "{read}"
    );

    // To a support address it goes on, since people want to see it. It comes from the server that
    // got the message.
    let came = comes_in(&relay, "", "help@desk.example", RECEIPT);
    let read = report(&relay, &came);
    assert_eq!(
        (&read["kind"], &read["forged"]),
        (&"read".into(), &false.into())
    );
    let tags = application.take().header("X-Gatepost-Tags");
    assert_eq!(tags.unwrap_or_default().trim(), "report-read");
    drop(server);
    relay.leaves_nothing(application);
}
