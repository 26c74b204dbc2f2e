//! Client session and server session connected to each other in memory.

use crate::common;

use bytes::Bytes;
use common::{Server, settings};
use gatepost_message::{Address, ReversePath};
use gatepost_sasl::client::Channel;
use gatepost_smtp::client::{Event, Protocol, Session, Settings, Tls, Transaction};
use gatepost_smtp::dsn::MessageRequest;
use gatepost_smtp::server::Limits;
use gatepost_smtp::server::Settings as ServerSettings;

/// One message and the codes expected for its recipients.
struct Job {
    to: Vec<&'static str>,
    body: Vec<u8>,
    codes: Vec<u16>,
}

/// Runs the jobs over one connection; returns the server for inspection.
fn run(settings: ServerSettings, tls: Tls, jobs: Vec<Job>) -> Server {
    let mut server = Server::new(settings, false);
    let mut client = Session::new(
        Settings {
            protocol: Protocol::Smtp,
            ehlo_name: "client.example".parse().unwrap(),
            tls,
            login: None,
        },
        None,
    );
    client.feed(server.hear().as_bytes());
    let mut jobs = jobs.into_iter();
    let mut current: Option<Job> = None;
    let mut to_server: Vec<Bytes> = Vec::new();
    loop {
        match client.next_event() {
            Event::Send(bytes) => to_server.push(bytes),
            Event::SendSecret(line) => panic!("{line} without a log-in"),
            Event::NeedInput => {
                assert!(!to_server.is_empty(), "both wait");
                for bytes in to_server.drain(..) {
                    client.feed(server.say(&bytes).as_bytes());
                }
            }
            // `Server` has already called `tls_started` on its side.
            Event::StartTls => {
                client.tls_started(Channel::encrypted("mx.desk.example", 25, None));
            }
            Event::Ready => match jobs.next() {
                Some(job) => {
                    let transaction = Transaction {
                        reverse_path: ReversePath::Null,
                        recipients: job
                            .to
                            .iter()
                            .map(|to| Address::parse(to).unwrap().into())
                            .collect(),
                        size: job.body.len() as u64,
                        eight_bit: !job.body.is_ascii(),
                        smtputf8: false,
                        long_lines: gatepost_smtp::client::LongLines::None,
                        ends_in_crlf: job.body.ends_with(b"\r\n"),
                        dsn: MessageRequest::default(),
                        origin: None,
                    };
                    client.begin(transaction).unwrap();
                    current = Some(job);
                }
                None => client.quit(),
            },
            Event::SendBody(mut framer) => {
                for piece in current.as_ref().unwrap().body.chunks(1000) {
                    to_server.push(framer.push(Bytes::copy_from_slice(piece)).unwrap());
                }
                to_server.push(Bytes::from_static(framer.finish().unwrap()));
                client.body_sent();
            }
            Event::Finished(result) => {
                let codes: Vec<_> = result.recipients.iter().map(|r| r.reply.code()).collect();
                assert_eq!(codes, current.take().unwrap().codes);
            }
            Event::Failed(failure) => panic!("{failure}"),
            Event::Closed => {
                assert!(server.closed);
                return server;
            }
        }
    }
}

#[test]
fn several_messages_go_over_one_connection() {
    let long: Vec<u8> = (0..5000)
        .flat_map(|n| format!(".{n}\r\n").into_bytes())
        .collect();
    let job = |to: &[&'static str], body: &[u8], codes: &[u16]| Job {
        to: to.to_vec(),
        body: body.to_vec(),
        codes: codes.to_vec(),
    };
    for tls in [Tls::None, Tls::Opportunistic, Tls::Required] {
        let jobs = vec![
            job(
                &["user@desk.example"],
                b"Subject: t\r\n\r\n.\r\n..\r\n",
                &[250],
            ),
            job(&["x@elsewhere.example"], b"never sent\r\n", &[550]),
            job(
                &[
                    "user@desk.example",
                    "x@elsewhere.example",
                    "\"a b\"@desk.example",
                ],
                &long,
                &[250, 550, 250],
            ),
            job(&["user@desk.example"], "\r\nä\r\n".as_bytes(), &[250]),
            job(&["user@desk.example"], b"", &[250]),
        ];
        let bodies: Vec<_> = [0, 2, 3, 4]
            .iter()
            .map(|&at: &usize| jobs[at].body.clone())
            .collect();
        let server = run(settings(), tls, jobs);
        let arrived: Vec<_> = server.messages.iter().map(|m| m.bytes.clone()).collect();
        assert_eq!(arrived, bodies);
        assert_eq!(
            server.messages[1].recipients,
            ["user@desk.example", "\"a b\"@desk.example"]
        );
        assert_eq!(server.handshakes, usize::from(tls != Tls::None));
        assert_eq!(server.aborted, 1);
    }
}

#[test]
fn a_message_too_large_is_refused_at_mail() {
    let limits = Limits {
        message_size: 10,
        ..Limits::default()
    };
    let jobs = vec![
        Job {
            to: vec!["user@desk.example"; 150],
            body: vec![b'x'; 20],
            codes: vec![552; 150],
        },
        Job {
            to: vec!["user@desk.example"; 150],
            body: b"fits\r\n".to_vec(),
            codes: vec![250; 150],
        },
    ];
    let settings = ServerSettings {
        limits,
        ..settings()
    };
    assert_eq!(run(settings, Tls::None, jobs).messages.len(), 1);
}
