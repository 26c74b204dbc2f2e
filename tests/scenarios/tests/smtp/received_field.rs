//! The trace field that the relay puts on top: who sent the message, how, under which id, for
//! whom, and when (RFC 5321 section 4.4; the protocols are RFC 3848's).

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use test_support::{Client, Relay, RelayBuilder, Sink};

use crate::{MESSAGE, trace_field_and_rest};

/// Sends a message to these recipients; gives the trace field that it arrives with, unfolded and
/// without its date, then its id, and that date.
fn sent(client: &mut Client, to: &[&str], sink: &Sink) -> (String, String, String) {
    let reply = client.deliver("ann@sender.example", to, MESSAGE).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    let arrived = sink.take().bytes();
    let (field, _) = trace_field_and_rest(&arrived);
    let field = field.strip_suffix("\r\n").unwrap().replace("\r\n\t", " ");
    let (field, date) = field.rsplit_once("; ").unwrap();
    (field.to_owned(), reply.transaction(), date.to_owned())
}

fn start() -> (Sink, Relay) {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    (sink, relay)
}

#[test]
fn the_received_field_names_client_protocol_id_recipient_and_time() {
    let (sink, relay) = start();
    let mut client = relay.client("mx");
    client.ehlo();
    let (field, id, date) = sent(&mut client, &["user@desk.example"], &sink);
    assert_eq!(
        field,
        format!(
            "Received: from client.example ([127.0.0.1]) \
             by mx.desk.example (Gatepost) with ESMTP id {id} \
             for <user@desk.example>"
        )
    );
    let date = rfc2822::parse(&date).unwrap();
    let age = Timestamp::now().duration_since(date.timestamp());
    assert!(
        age.abs() < Duration::from_secs(60).try_into().unwrap(),
        "{date}"
    );
    // Version 7: ids sort as the messages came (RFC 9562 section 5.7).
    assert_eq!(id.as_bytes()[14], b'7', "{id}");
    let (_, next, _) = sent(&mut client, &["user@desk.example"], &sink);
    assert!(next > id, "{next} after {id}");
    drop(client);
    relay.leaves_nothing(sink);
}

/// Nobody learns of blind copies (RFC 5321 section 7.2).
#[test]
fn the_received_field_names_only_a_sole_recipient() {
    let (sink, relay) = start();
    let mut client = relay.client("mx");
    client.ehlo();
    let both = ["user@desk.example", "blind@desk.example"];
    let (field, id, _) = sent(&mut client, &both, &sink);
    assert_eq!(
        field,
        format!(
            "Received: from client.example ([127.0.0.1]) \
             by mx.desk.example (Gatepost) with ESMTP id {id}"
        )
    );
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn the_received_field_names_the_protocol() {
    let (sink, relay) = start();
    let protocol = |mut client: Client| {
        let (field, _, _) = sent(&mut client, &["user@desk.example"], &sink);
        let (_, rest) = field.split_once(" with ").unwrap();
        rest.split(' ').next().unwrap().to_owned()
    };
    let mut plain = relay.client("mx");
    plain.command("HELO client.example", 250);
    assert_eq!(protocol(plain), "SMTP");
    let mut extended = relay.client("mx");
    extended.ehlo();
    assert_eq!(protocol(extended), "ESMTP");
    let mut secured = relay.client("mx");
    secured.ehlo();
    secured.starttls();
    assert_eq!(protocol(secured), "ESMTPS");
    let authenticated = relay.client("submission").authenticated("user", "secret");
    assert_eq!(protocol(authenticated), "ESMTPSA");
    relay.leaves_nothing(sink);
}

/// The name that a client gives itself stands there only if it can be nothing but a name.
#[test]
fn a_client_cannot_write_the_received_field() {
    let (sink, relay) = start();
    for helo in ["evil.example)(x", "a;Thu,1Jan1970", "[127.0.0.1](x", "a\"b"] {
        let mut client = relay.client("mx");
        client.command(&format!("EHLO {helo}"), 250);
        let (field, _, _) = sent(&mut client, &["user@desk.example"], &sink);
        let from = "Received: from [127.0.0.1] ([127.0.0.1]) by mx.desk.example ";
        assert!(field.starts_with(from), "{helo}: {field}");
    }
    relay.leaves_nothing(sink);
}
