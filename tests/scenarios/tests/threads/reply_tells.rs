//! The reply of the service tells the Message-ID that it gives, and an answer to that is known as
//! one to our message, also after a crash. What leaves names our Message-ID in References, too.

use test_support::Sink;

use crate::{FIELD, comes, given, naming, relay, submitted};

#[test]
fn an_answer_to_the_id_of_the_service_is_one_to_our_message() {
    let (application, service) = (Sink::start(), Sink::scripted(&naming(2), &[]));
    let mut relay = relay(&application, &service, "amazon-ses").start();
    let (first, left) = submitted(&relay, &service, "Message-ID: <1@desk.example>\r\n");
    assert_eq!(
        left.header("References").as_deref(),
        Some("<1@desk.example>")
    );
    assert_eq!(
        left.header("Message-ID").as_deref(),
        Some("<1@desk.example>")
    );
    let fields = "Message-ID: <2@desk.example>\r\nIn-Reply-To: <a@elsewhere.example>\r\n";
    let (second, left) = submitted(&relay, &service, fields);
    let references = left.header("References").unwrap();
    let references: Vec<&str> = references.split_whitespace().collect();
    assert_eq!(references, ["<a@elsewhere.example>", "<2@desk.example>"]);

    for restart in [false, true] {
        if restart {
            // What was taken is on record, so that nothing comes twice.
            relay.eventually("the queue is empty", |relay| {
                let queue = relay.json(&["queue", "list", "--messages"]);
                queue.is_empty().then_some(())
            });
            relay.kill();
            relay.restart();
        }
        for (fields, expected) in [
            (format!("In-Reply-To: {}\r\n", given(0)), Some(&first)),
            (format!("References: <x@y> {}\r\n", given(1)), Some(&second)),
            // A service that keeps our id, or the one in References.
            ("In-Reply-To: <1@desk.example>\r\n".to_owned(), Some(&first)),
            (format!("In-Reply-To: {}\r\n", given(7)), None),
            (String::new(), None),
        ] {
            let came = comes(&relay, &application, &fields);
            assert_eq!(came.header(FIELD).as_ref(), expected, "{fields}");
        }
    }
    drop(service);
    relay.leaves_nothing(application);
}

#[test]
fn a_service_that_keeps_message_ids_gets_the_message_as_it_is() {
    let (application, service) = (Sink::start(), Sink::scripted(&naming(1), &[]));
    let relay = relay(&application, &service, "generic").start();
    let (id, left) = submitted(&relay, &service, "Message-ID: <1@desk.example>\r\n");
    assert_eq!(left.header("References"), None);
    let came = comes(
        &relay,
        &application,
        &format!("In-Reply-To: {}\r\n", given(0)),
    );
    assert_eq!(came.header(FIELD), None);
    let came = comes(&relay, &application, "In-Reply-To: <1@desk.example>\r\n");
    assert_eq!(came.header(FIELD), Some(id));
    drop(service);
    relay.leaves_nothing(application);
}
