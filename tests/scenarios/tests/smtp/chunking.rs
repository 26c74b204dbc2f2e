//! Messages in chunks (BDAT, RFC 3030): they arrive as they were sent, large ones too, and what is
//! not finished leaves nothing.

use test_support::{Client, Relay, RelayBuilder, Sink};

use crate::{MESSAGE, trace_field_and_rest};

fn start(limits: &str) -> (Sink, Relay) {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).with(limits).start();
    (sink, relay)
}

/// In a transaction with one recipient.
fn begun(relay: &Relay) -> Client {
    let mut client = relay.client("mx");
    let offered = client.ehlo();
    assert!(offered.contains(&"CHUNKING".to_owned()), "{offered:?}");
    assert!(!offered.contains(&"BINARYMIME".to_owned()), "{offered:?}");
    begin(&mut client);
    client
}

fn begin(client: &mut Client) {
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
}

fn chunk(octets: &[u8], last: bool) -> Vec<u8> {
    let last = if last { " LAST" } else { "" };
    let command = format!("BDAT {}{last}\r\n", octets.len());
    [command.as_bytes(), octets].concat()
}

#[test]
fn a_message_in_pipelined_chunks_arrives_whole() {
    let (sink, relay) = start("");
    let mut client = begun(&relay);
    let pieces: Vec<_> = MESSAGE
        .chunks(7)
        .map(|octets| chunk(octets, false))
        .collect();
    client
        .send([pieces.concat(), b"BDAT 0 LAST\r\n".to_vec()].concat())
        .unwrap();
    for _ in &pieces {
        assert!(client.expect(250).text().ends_with(" octets taken"));
    }
    let id = client.expect(250).transaction();
    let arrived = sink.take().bytes();
    let (field, rest) = trace_field_and_rest(&arrived);
    assert!(field.contains(&id), "{field}");
    assert_eq!(rest, MESSAGE);
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_large_message_takes_the_same_way_as_by_data() {
    let (sink, relay) = start("");
    let mut client = begun(&relay);
    let body = "0123456789 abcdefghij 0123456789 abcdefghij\r\n".repeat(100_000);
    let message = [MESSAGE, body.as_bytes()].concat();
    for octets in message.chunks(1_000_000) {
        client.send(chunk(octets, false)).unwrap();
        client.expect(250);
    }
    client.command("BDAT 0 LAST", 250);
    let arrived = sink.take().bytes();
    assert!(trace_field_and_rest(&arrived).1 == message);
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_message_without_its_last_chunk_leaves_nothing() {
    let (sink, relay) = start("");
    let large = format!("\r\n{}", "0123456789\r\n".repeat(100_000));
    for ending in [&b"RSET\r\n"[..], b"QUIT\r\n", b"BDAT 500\r\nhalf of it"] {
        let mut client = begun(&relay);
        client.send(chunk(large.as_bytes(), false)).unwrap();
        let id = client.expect(250);
        assert_eq!(id.enhanced(), Some("2.0.0"));
        client.send(ending).unwrap();
    }
    relay.eventually("the files of the messages are gone", |relay| {
        (relay.bodies() == 0).then_some(())
    });
    relay.leaves_nothing(sink);
}

#[test]
fn a_message_too_large_is_refused_and_the_session_is_in_step() {
    let (sink, relay) = start("[limits]\nmessage-size = \"1KiB\"");
    let mut client = begun(&relay);
    let half = "0123456789 012345678\r\n".repeat(24);
    client.send(chunk(half.as_bytes(), false)).unwrap();
    client.expect(250);
    let commands = "QUIT\r\n".repeat(100);
    let all = [
        chunk(commands.as_bytes(), false),
        chunk(b"QUIT\r\n", false),
        chunk(b"QUIT\r\n", true),
        b"NOOP\r\n".to_vec(),
    ];
    client.send(all.concat()).unwrap();
    let refused = client.expect(552);
    assert_eq!(refused.enhanced(), Some("5.3.4"));
    let id = refused.transaction();
    client.expect(503);
    client.expect(503);
    client.expect(250);
    let replied = &relay.events(&id, "replied")[0];
    assert_eq!(replied["reply"]["code"], 552);
    // The next one is a message of its own.
    begin(&mut client);
    client.send(chunk(MESSAGE, true)).unwrap();
    client.expect(250);
    assert_eq!(trace_field_and_rest(&sink.take().bytes()).1, MESSAGE);
    drop(client);
    relay.leaves_nothing(sink);
}
