//! Whoever asks for news of success hears that the message was handed on where the next hop does
//! not tell such news itself; where it does (DSN), the relay leaves it to it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;

use test_support::{PATIENCE, RelayBuilder, Sink};

use super::{Notice, submit};
use crate::MESSAGE;

/// A server that takes everything and offers nothing but 8BITMIME; gives each message.
fn plain_server() -> (SocketAddr, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (taken, messages) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let taken = taken.clone();
            std::thread::spawn(move || serve(&stream, &taken));
        }
    });
    (address, messages)
}

fn serve(mut stream: &TcpStream, taken: &mpsc::Sender<Vec<u8>>) -> Option<()> {
    let mut lines = BufReader::new(stream).split(b'\n').map_while(Result::ok);
    stream.write_all(b"220 plain.example\r\n").ok()?;
    loop {
        let line = lines.next()?;
        let reply: &[u8] = match line.get(..4)? {
            b"EHLO" => b"250-plain.example\r\n250 8BITMIME\r\n",
            b"DATA" => b"354 go on\r\n",
            b"QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        stream.write_all(reply).ok()?;
        if line.starts_with(b"DATA") {
            let mut message = Vec::new();
            for line in lines.by_ref().take_while(|line| line != b".\r") {
                message.extend_from_slice(&line);
                message.push(b'\n');
            }
            taken.send(message).ok()?;
            stream.write_all(b"250 taken\r\n").ok()?;
        }
    }
}

#[test]
fn the_relay_sends_the_notice_for_a_next_hop_without_dsn() {
    let (address, messages) = plain_server();
    let relay = RelayBuilder::usual(address).start();
    let asked = " NOTIFY=SUCCESS,FAILURE";
    let id = submit(&relay, " RET=FULL", "x@desk.example", asked, MESSAGE);
    let message = messages.recv_timeout(PATIENCE).unwrap();
    assert!(message.ends_with(b"Hello!\r\n"));
    let notice = Notice::read(&messages.recv_timeout(PATIENCE).unwrap());
    assert_eq!(notice.subject, "Passed on");
    assert!(notice.text.contains("x@desk.example"), "{}", notice.text);
    for field in ["Action: relayed\r\n", "Status: 2.0.0\r\n"] {
        assert!(notice.status.contains(field), "{field}: {}", notice.status);
    }
    assert!(!notice.status.contains("Diagnostic-Code"));
    assert_eq!(notice.returned.0, "text/rfc822-headers");
    let notified = relay.eventually("it is on record", |relay| {
        relay.events(&id, "notified").pop()
    });
    assert_eq!(notified["of"], "relayed");
}

#[test]
fn the_relay_sends_no_notice_for_a_next_hop_with_dsn() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let id = submit(&relay, "", "x@desk.example", " NOTIFY=SUCCESS", MESSAGE);
    assert_eq!(sink.take().to, ["x@desk.example"]);
    relay.eventually("it is on record", |relay| {
        relay.events(&id, "attempt").pop()
    });
    assert_eq!(relay.events(&id, "notified").len(), 0);
    relay.leaves_nothing(sink);
}
