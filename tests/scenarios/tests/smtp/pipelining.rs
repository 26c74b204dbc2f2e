//! Commands that come together are answered in order, one reply each, in whatever segments they
//! come (RFC 2920 section 3).

use test_support::{Client, RelayBuilder, Sink};

use crate::MESSAGE;

fn codes(client: &mut Client, count: usize) -> Vec<u16> {
    (0..count).map(|_| client.reply().unwrap().code).collect()
}

#[test]
fn a_group_of_commands_is_answered_in_order() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    let offered = client.ehlo();
    assert!(offered.contains(&"PIPELINING".to_owned()), "{offered:?}");

    let group = "MAIL FROM:<ann@sender.example>\r\nRCPT TO:<one@desk.example>\r\n\
                 RCPT TO:<x@elsewhere.example>\r\nRCPT TO:<two@desk.example>\r\nDATA\r\n";
    client.send(group).unwrap();
    assert_eq!(codes(&mut client, 5), [250, 250, 550, 250, 354]);

    // The end of one message, all of the next group and its end, but for the message itself.
    let rest = [MESSAGE, b".\r\n", group.as_bytes()].concat();
    client.send(rest).unwrap();
    assert_eq!(codes(&mut client, 6), [250, 250, 250, 550, 250, 354]);
    client
        .send([MESSAGE, b".\r\nRSET\r\nNOOP\r\nQUIT\r\n"].concat())
        .unwrap();
    assert_eq!(codes(&mut client, 4), [250, 250, 250, 221]);
    assert!(client.closed());

    for _ in 0..2 {
        assert_eq!(sink.take().to, ["one@desk.example", "two@desk.example"]);
    }
    relay.leaves_nothing(sink);
}

/// A client that waits for nothing at all sends its message behind a DATA that is refused: not a
/// line of it is taken for a command that does something.
#[test]
fn pipelined_data_without_a_recipient_is_refused() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    let group = b"MAIL FROM:<ann@sender.example>\r\nRCPT TO:<x@elsewhere.example>\r\nDATA\r\n";
    let lines = MESSAGE.iter().filter(|octet| **octet == b'\n').count() + 1;
    client.send([group, MESSAGE, b".\r\n"].concat()).unwrap();
    assert_eq!(codes(&mut client, 3), [250, 550, 503]);
    assert_eq!(codes(&mut client, lines), vec![500; lines]);
    drop(client);
    relay.leaves_nothing(sink);
}

/// Commands behind a refused sender are refused without counting as errors of their own.
#[test]
fn a_refused_sender_takes_the_group_with_it() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nerrors = 3")
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    let recipients = "RCPT TO:<user@desk.example>\r\n".repeat(10);
    client
        .send(format!("MAIL FROM:<ann@@sender>\r\n{recipients}DATA\r\n"))
        .unwrap();
    assert_eq!(
        codes(&mut client, 12),
        [[501].as_slice(), &[503; 11]].concat()
    );
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(sink.take().to, ["user@desk.example"]);
    drop(client);
    relay.leaves_nothing(sink);
}
