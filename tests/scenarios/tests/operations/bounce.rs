//! The next hop refuses one recipient for good: the sender gets a delivery status notification
//! (RFC 3464) by the default route, and the other recipients get the message.

use test_support::{RelayBuilder, Sink};

use crate::accepted;

const MESSAGE: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    Subject: hello\r\n\
    Message-ID: <hello@sender.example>\r\n\
    \r\n\
    Hello!\r\n";

#[test]
fn the_sender_is_told_who_did_not_get_it_and_why() {
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let relay = RelayBuilder::usual(sink.address()).start();
    accepted(&relay, &["gone@desk.example", "x@desk.example"], MESSAGE);
    let mut arrived = [sink.take(), sink.take()];
    arrived.sort_by_key(|taken| taken.from.len());
    let [bounce, message] = arrived;
    assert_eq!(message.to, ["x@desk.example"]);

    // To the sender, from nobody: nobody answers it (RFC 5321 section 4.5.5).
    assert_eq!(bounce.from, "");
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let header = |name| bounce.header(name).unwrap_or_default();
    assert_eq!(header("To"), "<ann@sender.example>");
    assert!(header("Auto-Submitted").starts_with("auto-replied"));
    let kind = header("Content-Type");
    assert!(kind.contains("multipart/report"), "{kind}");
    assert!(kind.contains("report-type=\"delivery-status\""), "{kind}");

    let text = bounce.text();
    let boundary = kind.split("boundary=\"").nth(1).unwrap();
    let boundary = format!("--{}", boundary.split('"').next().unwrap());
    let parts: Vec<&str> = text.split(&boundary).collect();
    let [_, for_people, for_machines, returned, end] = parts[..] else {
        panic!("not three parts:\n{text}");
    };
    assert!(end.starts_with("--"), "{end:?}");
    assert!(for_people.contains("gone@desk.example"), "{for_people}");
    assert!(for_machines.contains("message/delivery-status"));
    for field in [
        "Reporting-MTA: dns; mx.desk.example",
        "Final-Recipient: rfc822; gone@desk.example",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 the sink refuses",
    ] {
        assert!(
            for_machines.contains(field),
            "{field} is not in {for_machines}"
        );
    }
    assert!(!for_machines.contains("x@desk.example"), "{for_machines}");
    assert!(returned.contains("text/rfc822-headers"), "{returned}");
    assert!(returned.contains("Message-ID: <hello@sender.example>"));
    assert!(!returned.contains("Hello!"), "{returned}");
    relay.leaves_nothing(sink);
}
