//! Nobody else can say what a message answers: the field is removed as it arrives, and ids of
//! another account lead nowhere.

use test_support::Sink;

use crate::{ANN, DESK, FIELD, comes, enter, given, naming, relay, submitted};

#[test]
fn strangers_cannot_set_the_field() {
    let (application, service) = (Sink::start(), Sink::scripted(&naming(1), &[]));
    let relay = relay(&application, &service, "amazon-ses")
        .with("[[account]]\nid = 'other'\ndomains = ['other.example']")
        .start();
    let (id, left) = submitted(
        &relay,
        &service,
        &format!("Message-ID: <1@desk.example>\r\n{FIELD}: forged\r\n"),
    );
    assert_eq!(left.header(FIELD), None);
    let forged = format!("{FIELD}: {id}\r\nx-gatepost-in-reply-to-transaction : {id}\r\n");
    let came = comes(&relay, &application, &forged);
    assert!(!came.text().contains(&id), "{}", came.text());
    let fields = format!("{forged}In-Reply-To: {}\r\n", given(0));
    let came = comes(&relay, &application, &fields);
    assert_eq!(came.text().matches(&id).count(), 1, "{}", came.text());
    assert_eq!(came.header(FIELD), Some(id));

    let mut client = relay.client("mx");
    client.ehlo();
    let message = format!("From: {ANN}\r\nIn-Reply-To: {}\r\n\r\nHello!\r\n", given(0));
    let reply = client.deliver(ANN, &["x@other.example"], message.as_bytes());
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(application.take().header(FIELD), None);
    // One transaction has one account.
    enter(&mut client, ANN, &message);
    let came = application.take();
    assert_eq!(came.to, [DESK]);
    assert!(came.header(FIELD).is_some());
    drop((client, service));
    relay.leaves_nothing(application);
}
