//! A service whose reply tells nothing: a report that returns the message, and a copy of it, show
//! the Message-ID that it was given. One that a stranger sends shows nothing.

use test_support::{Client, Relay, Sink, Taken};

use crate::{ANN, FIELD, comes, enter, relay, submitted};

/// Returns the message as the service has changed it.
fn renamed(left: &Taken, id: &str) -> String {
    let text = left.text();
    let lines = text
        .split_inclusive("\r\n")
        .map(|line| match line.starts_with("Message-ID:") {
            true => format!("Message-ID: <{id}>\r\n"),
            false => line.to_owned(),
        });
    lines.collect()
}

/// A report of the service on that message.
fn report(message: &str) -> String {
    format!(
        "From: MAILER-DAEMON@service.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\n\r\nIt could not be delivered.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; service.example\r\n\r\n\
         Final-Recipient: rfc822; {ANN}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n{message}\r\n--b--\r\n"
    )
}

/// Asserts that an answer to this id becomes known as one to that transaction.
fn becomes_known(relay: &Relay, application: &Sink, id: &str, transaction: &str) {
    let fields = format!("In-Reply-To: <{id}>\r\n");
    relay.eventually("the id is known", |relay| {
        let came = comes(relay, application, &fields);
        (came.header(FIELD)? == transaction).then_some(())
    });
}

#[test]
fn what_comes_back_shows_the_id_that_was_given() {
    let (application, service) = (Sink::start(), Sink::start());
    // The report would put the recipient of all messages on the suppression list.
    let relay = relay(&application, &service, "postmark").with("[suppression]\nrecord = false");
    let relay = relay.start();
    let submit = |id: &str| submitted(&relay, &service, &format!("Message-ID: <{id}>\r\n"));
    let mut world = relay.client("mx");
    world.ehlo();

    let (id, left) = submit("1@desk.example");
    enter(
        &mut world,
        "",
        &report(&renamed(&left, "dsn@service.example")),
    );
    application.take();
    becomes_known(&relay, &application, "dsn@service.example", &id);

    let (id, left) = submit("2@desk.example");
    enter(&mut world, ANN, &renamed(&left, "cc@service.example"));
    application.take();
    becomes_known(&relay, &application, "cc@service.example", &id);

    let (_, left) = submit("3@desk.example");
    let stranger = "127.0.0.2".parse().unwrap();
    let mut stranger = Client::connect_from(stranger, relay.address("mx")).unwrap();
    stranger.expect(220);
    stranger.ehlo();
    enter(
        &mut stranger,
        "eve@b.example",
        &renamed(&left, "forged@b.example"),
    );
    application.take();
    relay.logged("does not come from where it was sent");
    let came = comes(&relay, &application, "In-Reply-To: <forged@b.example>\r\n");
    assert_eq!(came.header(FIELD), None);
    drop((world, stranger, service));
    relay.leaves_nothing(application);
}
