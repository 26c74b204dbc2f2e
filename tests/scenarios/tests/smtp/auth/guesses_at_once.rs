//! Guesses in many sessions at the same time are as few as one after the other: each counts before
//! its password is looked at.

use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use test_support::{Client, Relay, RelayBuilder, Scram, Sink};

const SESSIONS: usize = 24;
const ALLOWED: usize = 4;

fn relay(sink: &Sink) -> Relay {
    RelayBuilder::usual(sink.address())
        .with(&format!(
            "[log-ins]\ndelay = \"0s\"\nfailures-per-address = {ALLOWED}\nfailures-per-user = 100"
        ))
        .start()
}

/// Sessions under TLS, ready to log in.
fn sessions(relay: &Relay) -> Vec<Client> {
    let session = |_| {
        let mut client = relay.client("submission");
        client.ehlo();
        client.starttls();
        client
    };
    (0..SESSIONS).map(session).collect()
}

/// Sends each line in its session, all before the first answer is read, and counts the answers.
fn at_once(sessions: &mut [Client], lines: &[String]) -> (usize, usize) {
    for (client, line) in sessions.iter_mut().zip(lines) {
        client.send(line).unwrap();
    }
    let answers = sessions.iter_mut().map(|client| client.reply().unwrap());
    let codes: Vec<_> = answers.map(|reply| reply.code).collect();
    let of = |code: u16| codes.iter().filter(|c| **c == code).count();
    assert_eq!(of(535) + of(454), SESSIONS, "{codes:?}");
    (of(535), of(454))
}

#[test]
fn passwords_guessed_at_once_are_limited() {
    let sink = Sink::start();
    let relay = relay(&sink);
    let mut clients = sessions(&relay);
    let guess = |n| STANDARD.encode(format!("\0user{n}\0guess"));
    let lines: Vec<_> = (0..SESSIONS)
        .map(|n| format!("AUTH PLAIN {}\r\n", guess(n)))
        .collect();
    let answers = at_once(&mut clients, &lines);
    assert_eq!(answers, (ALLOWED, SESSIONS - ALLOWED));
    drop(clients);
    relay.leaves_nothing(sink);
}

/// Every session has its challenge before the first proof is sent.
#[test]
fn scram_proofs_guessed_at_once_are_limited() {
    let sink = Sink::start();
    let relay = relay(&sink);
    let mut clients = sessions(&relay);
    let mut lines = Vec::new();
    thread::scope(|scope| {
        let answers: Vec<_> = (clients.iter_mut().enumerate())
            .map(|(number, client)| {
                scope.spawn(move || {
                    let mut scram = Scram::new(&format!("user{number}"), "guess");
                    let first = format!("AUTH SCRAM-SHA-256 {}\r\n", scram.first());
                    client.send(first).unwrap();
                    let challenge = client.expect(334);
                    format!("{}\r\n", scram.last(&challenge.text()))
                })
            })
            .collect();
        lines.extend(answers.into_iter().map(|answer| answer.join().unwrap()));
    });
    let answers = at_once(&mut clients, &lines);
    assert_eq!(answers, (ALLOWED, SESSIONS - ALLOWED));
    drop(clients);
    relay.leaves_nothing(sink);
}
