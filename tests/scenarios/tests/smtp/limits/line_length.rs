//! A line of a message that is too long: 500 at the end; the session stays. One that is as long as
//! it may be arrives whole, by DATA and in chunks (RFC 5321 section 4.5.3.1.6).

use test_support::{RelayBuilder, Sink};

use crate::trace_field_and_rest;

#[test]
fn a_line_of_64_kib_arrives_whole_and_not_one_octet_more() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    for length in [999, 4000, 65_536] {
        let line = "word ".repeat(length / 5 + 1)[..length].to_owned();
        let message = format!("Subject: long\r\n\r\n.{}\r\n{line}\r\n", &line[1..]);
        let to = ["user@desk.example"];
        let reply = client.deliver("ann@sender.example", &to, message.as_bytes());
        assert_eq!(reply.unwrap().code, 250, "{length}");
        let arrived = sink.take().bytes();
        let (_, rest) = trace_field_and_rest(&arrived);
        assert_eq!(rest, message.as_bytes());
        client.command("MAIL FROM:<ann@sender.example>", 250);
        client.command("RCPT TO:<user@desk.example>", 250);
        client
            .send(format!("BDAT {} LAST\r\n{message}", message.len()))
            .unwrap();
        let id = client.expect(250).transaction();
        let arrived = sink.take().bytes();
        let (_, rest) = trace_field_and_rest(&arrived);
        assert_eq!(rest, message.as_bytes());
        let reason = format!("taken as it is: a line of {length} octets");
        let judged = relay.events(&id, "judged");
        assert!(
            serde_json::to_string(&judged).unwrap().contains(&reason),
            "{judged:?}"
        );
    }
    for line in [
        "x".repeat(65_537),
        format!("Subject: {}", "x".repeat(65_536)),
    ] {
        let message = format!("{line}\r\n\r\nbody\r\n");
        let to = ["user@desk.example"];
        let reply = client
            .deliver("ann@sender.example", &to, message.as_bytes())
            .unwrap();
        assert_eq!((reply.code, reply.enhanced()), (500, Some("5.6.0")));
    }
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_line_over_998_octets_is_refused_at_that_limit() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nline = 998")
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    for length in [999, 100_000] {
        for line in [
            "x".repeat(length),
            format!("Subject: {}", "x".repeat(length - 9)),
        ] {
            assert_eq!(line.len(), length);
            let message = format!("{line}\r\n\r\nbody\r\n{line}\r\n");
            let reply = client
                .deliver(
                    "ann@sender.example",
                    &["user@desk.example"],
                    message.as_bytes(),
                )
                .unwrap();
            assert_eq!((reply.code, reply.enhanced()), (500, Some("5.6.0")));
        }
    }
    // A stuffed dot does not count.
    let line = format!(".{}", "x".repeat(997));
    let message = format!("Subject: {}\r\n\r\n{line}\r\n", "x".repeat(989));
    let reply = client.deliver(
        "ann@sender.example",
        &["user@desk.example"],
        message.as_bytes(),
    );
    assert_eq!(reply.unwrap().code, 250);
    let arrived = sink.take().bytes();
    assert_eq!(trace_field_and_rest(&arrived).1, message.as_bytes());
    drop(client);
    relay.leaves_nothing(sink);
}
