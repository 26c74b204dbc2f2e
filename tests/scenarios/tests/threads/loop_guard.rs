//! loop-guard counts an exchange in its thread although the service gives each of our messages
//! another Message-ID.

use test_support::Sink;

use crate::{ANN, DESK, given, naming, relay};

const LIMITS: &str = "thread = 2, correspondent = 0, repeats = 0, words = 0, subject = 0, \
    marked = 0, domain = 0, account = 0, newcomers = 0, haste = 0";

#[test]
fn a_loop_through_a_service_that_replaces_message_ids_ends() {
    let (application, service) = (Sink::start(), Sink::scripted(&naming(9), &[]));
    // Of all limits only that of the thread is set.
    let relay = relay(&application, &service, "amazon-ses")
        .with(
            "[[policy]]\nname = 'loop-guard'\nbuiltin = 'loop-guard'\n\
             settings = { limits = { LIMITS } }",
        )
        .replace("LIMITS", LIMITS)
        .start();
    let mut answered = 0;
    loop {
        let answers = match answered {
            0 => String::new(),
            n => format!("In-Reply-To: <m{}@elsewhere.example>\r\n", n - 1),
        };
        let message = format!(
            "X-Gatepost-Trigger: automatic\r\nFrom: {DESK}\r\nTo: {ANN}\r\n\
             Subject: number {answered}\r\nMessage-ID: <{answered}@desk.example>\r\n{answers}\r\n\
             This is answer {answered}.\r\n"
        );
        let mut client = relay.client("submission").authenticated("user", "secret");
        let reply = client.deliver(DESK, &[ANN], message.as_bytes()).unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        let id = reply.transaction();
        if !relay.events(&id, "suppressed").is_empty() {
            break;
        }
        relay.eventually("the delivery is on record", |relay| {
            (!relay.events(&id, "attempt").is_empty()).then_some(())
        });
        service.take();
        let message = format!(
            "From: {ANN}\r\nTo: {DESK}\r\nSubject: other {answered}\r\n\
             Message-ID: <m{answered}@elsewhere.example>\r\nIn-Reply-To: {}\r\n\r\n\
             Another text {answered}.\r\n",
            given(answered)
        );
        let mut client = relay.client("mx");
        client.ehlo();
        let reply = client.deliver(ANN, &[DESK], message.as_bytes()).unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        application.take();
        answered += 1;
        assert!(answered < 8, "it goes on after {answered} answers");
    }
    assert!(answered > 1, "it ends before there is a loop");
    drop(service);
    relay.leaves_nothing(application);
}
