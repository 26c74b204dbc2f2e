//! A partner's mail is refused, by reverse-path or author and in every spelling; reports of
//! delivery are accepted.

use test_support::Sink;

use crate::{guarded_with, send, two};

#[test]
fn a_partner_hears_that_there_is_an_agreement() {
    let sink = Sink::start();
    let relay = guarded_with(&sink, "{ text = \"We share tickets with you\" }").start();
    let (a, _) = two(&relay);
    relay.json(&["partner", "add", &a, "Robot@Partner.example"]);
    relay.json(&["partner", "add", &a, "--domain", "whole.example"]);
    let help = "help@a.desk.test";
    for (from, header) in [
        ("robot@partner.example", "From: <ann@sender.example>"),
        (
            "bounces@mailer.example",
            "From: Robot <ROBOT+1@partner.example>",
        ),
        (
            "",
            "From: robot@partner.example\r\nAuto-Submitted: auto-replied",
        ),
        (
            "SRS0=ab=2Z=partner.example=robot@forwarder.example",
            "From: <ann@sender.example>",
        ),
        (
            "prvs=1234abcdef=robot@partner.example",
            "From: <ann@sender.example>",
        ),
        ("ann@whole.example", "From: <ann@whole.example>"),
    ] {
        let reply = send(&relay, from, help, header);
        assert_eq!(reply.code, 550, "{from} {header}");
        assert_eq!(reply.enhanced(), Some("5.7.1"));
        assert!(
            reply.text().contains("We share tickets with you"),
            "{}",
            reply.text()
        );
    }
    let report = "From: mailer-daemon@whole.example\r\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=b";
    for (from, header) in [
        ("ann@sub.whole.example", "From: <ann@sub.whole.example>"),
        ("ann@partner.example", "From: <ann@partner.example>"),
        ("", report),
    ] {
        assert_eq!(
            send(&relay, from, help, header).code,
            250,
            "{from} {header}"
        );
        sink.take();
    }
    // It is this account's partner, and nobody else's.
    let robot = "robot@partner.example";
    assert_eq!(
        send(
            &relay,
            robot,
            "help@b.desk.test",
            "From: <robot@partner.example>"
        )
        .code,
        250
    );
    sink.take();
    relay.json(&["partner", "remove", &a, "robot@partner.example"]);
    assert_eq!(
        send(&relay, robot, help, "From: <robot@partner.example>").code,
        250
    );
    sink.take();
    let said = relay.refuses(&["partner", "add", &a, "HELP@a.desk.test"]);
    assert!(said.contains("nobody is a partner of themselves"), "{said}");
    relay.leaves_nothing(sink);
}
