//! A message that comes in chunks (RFC 3030) goes through two relays as it was sent, and what DATA
//! could not carry does: a last line without an end.

use test_support::Client;

use super::pair::Pair;

#[test]
fn chunked_messages_arrive_as_they_were_sent() {
    let pair = Pair::start();
    let mut client = pair.client();
    for (kind, message) in kinds() {
        for chunk in [1_000_000, 7] {
            send(&mut client, &message, chunk);
            pair.brings(kind, &message);
        }
    }
    drop(client);
    pair.end();
}

fn kinds() -> Vec<(&'static str, Vec<u8>)> {
    let with = |body: &[u8]| [&b"Subject: odd\r\n\r\n"[..], body].concat();
    vec![
        ("an end", with(b"Hello!\r\n")),
        ("no end to the last line", with(b"Hello!")),
        ("a dot for a last line without end", with(b"Hello!\r\n.")),
        ("lone dots", with(b"\r\n.\r\n..\r\n.\r\n")),
        ("eight bits without end", with(&[0xe4; 998])),
        ("no end to the header section", b"Subject: odd".to_vec()),
        (
            "large, without end",
            with(&b".0123456789\r\n".repeat(100_000)[1..]),
        ),
    ]
}

fn send(client: &mut Client, message: &[u8], chunk: usize) {
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    // A few small ones, then the rest.
    let (small, rest) = message.split_at(message.len().min(chunk * 4));
    for chunk in small.chunks(chunk) {
        let command = format!("BDAT {}\r\n", chunk.len());
        client.send([command.as_bytes(), chunk].concat()).unwrap();
        client.expect(250);
    }
    let command = format!("BDAT {} LAST\r\n", rest.len());
    client.send([command.as_bytes(), rest].concat()).unwrap();
    client.expect(250);
}
