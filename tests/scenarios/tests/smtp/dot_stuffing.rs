//! A line that begins with a dot: the client's stuffed dot is taken out, one is put in again on
//! the way to the next hop, and the line arrives as it was meant (RFC 5321 section 4.5.2).

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

use test_support::{PATIENCE, RelayBuilder, Sink};

const STUFFED: &[u8] = b"Subject: dots\r\n\r\n..a\r\n...\r\n..\r\nb.\r\n. \r\n..\r\n";
const MEANT: &[u8] = b"Subject: dots\r\n\r\n.a\r\n..\r\n.\r\nb.\r\n \r\n.\r\n";

/// Octets that go out on the wire; a dot that the client stuffed without need is gone.
const ON_THE_WIRE: &[u8] = b"Subject: dots\r\n\r\n..a\r\n...\r\n..\r\nb.\r\n \r\n..\r\n";

#[test]
fn dots_arrive_as_they_were_meant() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    submit(relay.address("mx"));
    assert!(sink.take().bytes().ends_with(MEANT));
    relay.leaves_nothing(sink);
}

#[test]
fn dots_are_stuffed_on_the_wire() {
    let (address, message) = next_hop();
    let relay = RelayBuilder::usual(address).start();
    submit(relay.address("mx"));
    let message = message.recv_timeout(PATIENCE).unwrap();
    let text = String::from_utf8_lossy(&message);
    assert!(message.ends_with(ON_THE_WIRE), "{text}");
}

fn submit(relay: SocketAddr) {
    let mut client = test_support::Client::greeted(relay);
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("DATA", 354);
    client.send(STUFFED).unwrap();
    client.command(".", 250);
}

/// A server that takes one message and hands out its octets as they came, without the final dot.
fn next_hop() -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 hop\r\n").unwrap();
        let mut input = BufReader::new(stream.try_clone().unwrap());
        let mut message: Option<Vec<u8>> = None;
        loop {
            let mut line = Vec::new();
            if input.read_until(b'\n', &mut line).unwrap() == 0 {
                break;
            }
            let reply: &[u8] = match (&mut message, line.as_slice()) {
                (Some(_), b".\r\n") => {
                    let _ = sender.send(message.take().unwrap());
                    b"250 taken\r\n"
                }
                (Some(message), line) => {
                    message.extend_from_slice(line);
                    continue;
                }
                (None, b"DATA\r\n") => {
                    message = Some(Vec::new());
                    b"354 go on\r\n"
                }
                (None, _) => b"250 yes\r\n",
            };
            stream.write_all(reply).unwrap();
        }
    });
    (address, receiver)
}
