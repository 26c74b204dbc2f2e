//! Threads through services that replace Message-ID: what an answer names is found again.
#![allow(clippy::unwrap_used)]

mod came_back;
mod loop_guard;
mod reply_tells;
mod strangers;

use test_support::{Client, Relay, RelayBuilder, Sink, Taken};

/// Address of the account, and of the person who gets mail from it.
const DESK: &str = "help@desk.example";
const ANN: &str = "ann@elsewhere.example";

/// Field in which the application is told what a message answers.
const FIELD: &str = "X-Gatepost-In-Reply-To-Transaction";

/// Script of a service that names each message by its number.
fn naming(messages: usize) -> String {
    let rules = (0..messages).map(|number| {
        format!(
            "[[on]]\ncommand = 'MESSAGE'\nafter = {number}\ntimes = 1\n\
             reply = '250 Ok 0102-{number}'\n"
        )
    });
    rules.collect()
}

/// Returns the Message-ID that the service gives the message of this number.
fn given(number: usize) -> String {
    format!("<0102-{number}@email.amazonses.com>")
}

/// The usual relay, whose submitted mail leaves by a service with this profile; its inbound mail
/// goes to the application.
fn relay(application: &Sink, service: &Sink, profile: &str) -> RelayBuilder {
    RelayBuilder::usual(application.address()).with(&format!(
        "[routes]\nsubmission = 'connection desk'\n\
         [connection.desk]\nhost = '127.0.0.1'\nport = {}\ntls = 'none'\nprofile = '{profile}'",
        service.address().port()
    ))
}

/// Submits a message with these fields, and takes it at the service once its delivery is on record;
/// its transaction, and the message as it left.
fn submitted(relay: &Relay, service: &Sink, fields: &str) -> (String, Taken) {
    let message = format!("From: {DESK}\r\nTo: {ANN}\r\nSubject: s\r\n{fields}\r\nHello!\r\n");
    let mut client = relay.client("submission").authenticated("user", "secret");
    let reply = client.deliver(DESK, &[ANN], message.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    let id = reply.transaction();
    relay.eventually("the delivery is on record", |relay| {
        (!relay.events(&id, "attempt").is_empty()).then_some(())
    });
    (id, service.take())
}

/// A message with these fields comes in; as it goes to the application.
fn comes(relay: &Relay, application: &Sink, fields: &str) -> Taken {
    let mut client = relay.client("mx");
    client.ehlo();
    enter(
        &mut client,
        ANN,
        &format!("From: {ANN}\r\nTo: {DESK}\r\n{fields}\r\nHello!\r\n"),
    );
    application.take()
}

fn enter(client: &mut Client, from: &str, message: &str) {
    let reply = client.deliver(from, &[DESK], message.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
}
