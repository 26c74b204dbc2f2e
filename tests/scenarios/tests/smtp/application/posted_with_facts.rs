//! Inbound mail is posted in two parts, with the facts of its record, and signed; the queue knows it
//! delivered.

use test_support::Sink;

use super::desk::{Desk, SECRET, relay_to};

/// Auto-Submitted makes loop-guard tag it.
const AUTOMATIC: &[u8] = b"Date: Mon, 2 Mar 2026 11:09:00 +0000\r\n\
    Message-ID: <1@sender.example>\r\n\
    From: Ann <ann@sender.example>\r\n\
    To: help@desk.example\r\n\
    Auto-Submitted: auto-replied\r\n\
    Subject: away\r\n\
    \r\n\
    I am away.\r\n";

#[test]
fn inbound_mail_is_posted_with_its_facts_and_a_signature_that_verifies() {
    let (desk, world) = (Desk::answering(202), Sink::start());
    let relay = relay_to(desk.address, &world, &format!("secrets = [{SECRET:?}]")).start();
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command(
        "RCPT TO:<help@desk.example> ORCPT=rfc822;support@customer.example",
        250,
    );
    client.command("DATA", 354);
    client.send([AUTOMATIC, b".\r\n"].concat()).unwrap();
    let id = client.expect(250).transaction();
    let posted = desk.take();
    assert!(posted.is_signed(), "{posted:?}");
    let (facts, message) = posted.parts();
    assert!(message.ends_with(AUTOMATIC), "{}", message.escape_ascii());
    assert_eq!(facts["transaction"], id);
    assert_eq!(facts["message-id"], "<1@sender.example>");
    assert_eq!(facts["account"], "acme");
    assert_eq!(facts["mail-from"], "ann@sender.example");
    let recipient = &facts["rcpt-to"][0];
    assert_eq!(recipient["address"], "help@desk.example");
    assert_eq!(recipient["original"], "support@customer.example");
    assert_eq!(facts["class"], "auto-replied", "{facts}");
    let tags = facts["tags"].as_array().unwrap();
    let tag = tags.iter().find(|one| one["tag"] == "suppress-automatic");
    let tag = tag.unwrap_or_else(|| panic!("{facts}"));
    assert_eq!(tag["policy"], "loop-guard");
    let judged = relay.judgements(&id);
    let judgement = judged.iter().find(|one| {
        let tags = one["decision"]["tags"].as_array().into_iter().flatten();
        one["policy"] == "loop-guard" && tags.into_iter().any(|tag| tag == "suppress-automatic")
    });
    let reasons = &judgement.unwrap()["decision"]["reasons"];
    assert!(!reasons.as_array().unwrap().is_empty(), "{judged:?}");
    assert_eq!(&tag["reasons"], reasons);
    let attempt = relay.eventually("the attempt is on record", |relay| {
        relay.events(&id, "attempt").pop()
    });
    assert_eq!(attempt["server"], "http:desk", "{attempt}");
    assert_eq!(attempt["ending"], "delivered", "{attempt}");
    relay.leaves_nothing(world);
    assert!(desk.is_idle());
}
