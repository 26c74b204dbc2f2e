//! Mail that is not taken has a trace as well, which shows who is to blame.

use test_support::{RelayBuilder, Sink};

use super::{Collector, exported_to, only, root_of};
use crate::{judged_by, send};

#[test]
fn a_fault_is_an_error_of_its_policy() {
    let collector = Collector::start();
    let mut relay = judged_by("trap", &Sink::start())
        .with(&exported_to(&collector))
        .start();
    let attack = b"From: Ann <ann@sender.example>\r\nX-Attack: now\r\n\r\nHello!\r\n";
    let id = send(&relay, &["help@desk.example"], attack).transaction();
    relay.terminate();

    let spans = collector.spans();
    let call = only(&spans, "policy.message");
    assert_eq!((call.trace.clone(), call.parent.clone()), root_of(&id));
    assert_eq!(call.get("gatepost.policy"), "guest");
    assert_eq!(call.get("error.type"), "trap");
    assert_eq!(call.get("gatepost.verdict"), "tempfail");
    assert_eq!(call.error.as_deref(), Some(""), "its words are its own");
    let transaction = only(&spans, "smtp.transaction");
    assert_eq!(transaction.get("gatepost.verdict"), "tempfail");
    assert_eq!(transaction.get("gatepost.reply.code"), "451");
    assert!(transaction.error.is_some());
}

#[test]
fn a_client_that_gives_up_is_told_apart() {
    let collector = Collector::start();
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address())
        .with(&exported_to(&collector))
        .start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    client.command("MAIL FROM:<a@desk.example>", 250);
    client.command("RSET", 250);
    client.command("QUIT", 221);
    relay.terminate();

    let spans = collector.spans();
    let transaction = only(&spans, "smtp.transaction");
    assert_eq!(transaction.get("gatepost.verdict"), "aborted");
    assert_eq!(transaction.get("gatepost.user"), "user");
    assert!(transaction.get("gatepost.tls").starts_with("TLS"));
    let why = transaction.error.as_deref();
    assert_eq!(why, Some("the client gave it up"));
    let session = only(&spans, "smtp.session");
    assert_eq!(session.error, None, "it ended as it should");
}
