//! Cost of the server's side of a session, without a network: `cargo bench -p gatepost-smtp`.

use std::sync::Arc;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use gatepost_smtp::Reply;
use gatepost_smtp::server::{Answer, Ask, AuthOffer, Event, Limits, Session, Settings, StartTls};

fn main() {
    divan::main();
}

/// Input of a client that pipelines as far as it may.
struct Client {
    commands: Vec<u8>,
    message: Vec<u8>,
}

impl Client {
    fn sending(size: usize) -> Self {
        let commands = b"EHLO client.example\r\nMAIL FROM:<ann@sender.example>\r\n\
                         RCPT TO:<help@desk.example>\r\nDATA\r\n";
        let mut message = b"Subject: performance\r\n\r\n".to_vec();
        while message.len() < size {
            message.extend_from_slice(&[b'x'; 78]);
            message.extend_from_slice(b"\r\n");
        }
        message.extend_from_slice(b".\r\nQUIT\r\n");
        Self {
            commands: commands.to_vec(),
            message,
        }
    }

    /// Runs a session from its banner to its end; returns the octets of message that came out.
    fn run(&self, settings: &Arc<Settings>) -> usize {
        let mut session = Session::new(settings.clone(), None);
        // The relay reads that many octets at a time from a connection.
        let mut input = self.message.chunks(16 << 10).collect::<Vec<_>>();
        input.reverse();
        input.push(&self.commands);
        let mut octets = 0;
        loop {
            match session.next_event() {
                Event::NeedInput => match input.pop() {
                    Some(bytes) => session.feed(bytes),
                    None => panic!("the session waits for more than there is"),
                },
                Event::Ask(Ask::Message { .. }) => {
                    session.answer(Answer::Reply(Reply::new(250, "2.0.0", "Kept")));
                }
                Event::Ask(_) => session.answer(Answer::Proceed),
                Event::Data(bytes) => octets += black_box(bytes).len(),
                Event::Close => return octets,
                other => drop(black_box(other)),
            }
        }
    }
}

#[divan::bench(args = [1 << 10, 10 << 10, 1 << 20])]
fn whole_transaction(bencher: Bencher, size: usize) {
    let settings = Arc::new(Settings {
        hostname: "mx.desk.example".into(),
        limits: Limits::default(),
        start_tls: StartTls::Offered,
        auth: AuthOffer::UnderTls,
    });
    let client = Client::sending(size);
    assert!(client.run(&settings) >= size);
    bencher
        .counter(BytesCount::new(size))
        .bench(|| client.run(&settings));
}
