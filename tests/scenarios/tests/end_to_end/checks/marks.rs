//! The five header fields by which every server knows what a message of ours is.

use test_support::Taken;

use crate::places::ANN;
use crate::site::Site;

/// Asserts that a message has each of the five fields once, as it left.
pub fn assert_marked(taken: &Taken) {
    let text = taken.text();
    let head = text.split("\r\n\r\n").next().unwrap();
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    let fields: Vec<_> = fields.collect();
    let only = |name: &str| {
        let of_name = fields
            .iter()
            .filter(|(of, _)| of.eq_ignore_ascii_case(name));
        let values: Vec<_> = of_name.map(|(_, value)| value.trim_end()).collect();
        assert_eq!(values.len(), 1, "{name} in {text}");
        values[0]
    };
    assert_eq!(only("Auto-Submitted"), "auto-generated");
    assert_eq!(only("X-Auto-Response-Suppress"), "All");
    assert_eq!(only("X-Mailer"), "Acme Mailer");
    assert_eq!(only("X-Gatepost-From-Account-Id").len(), 32);
    let email_id = only("X-Gatepost-Email-Id");
    assert!(
        email_id.len() == 57 && email_id.as_bytes()[36] == b'.',
        "{email_id}"
    );
    for private in ["X-Gatepost-Trigger", "X-Gatepost-Metadata"] {
        assert!(!head.contains(private), "{text}");
    }
}

/// Checks that mail has the fields where it arrives, whoever caused it, and that mail which comes back to
/// us from there is known to be ours.
pub fn marks_survive(site: &Site, address: &str) {
    let (desk, world) = (&site.desk, &site.world);
    let question = world.writes(ANN, address, "my refund", "");
    let (ticket, _) = desk.got(&question);
    let automatic = world.gets(ANN);
    assert_marked(&automatic);
    desk.answers(ticket, "It is paid.");
    let typed = world.gets(ANN);
    assert_marked(&typed);
    // A server that sends it back sends it as a machine does.
    let id = format!("<back.{}>", world.port());
    let back = typed.text().replacen("Message-ID: ", "X-Before: ", 1);
    let back = format!("Message-ID: {id}\r\n{back}");
    let reply = world.hands_in(ANN, address, &back);
    assert_eq!(reply.code, 250, "{}", reply.text());
    let (_, letter) = desk.got(&id);
    assert!(letter.has_tag("suppress-automatic"), "{letter:?}");
}
