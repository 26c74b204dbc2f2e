//! Properties of both sides for any bytes in any segments.

use crate::common;

use bytes::Bytes;
use common::{Received, Server, settings};
use gatepost_message::{Address, ReversePath};
use gatepost_smtp::client::{self, Framer};
use gatepost_smtp::dsn::MessageRequest;
use gatepost_smtp::proxy;
use gatepost_smtp::server::{Limits, Settings};
use proptest::prelude::*;
use smtp_proto::Request;

/// Returns limits low enough to be reached.
fn tight() -> Settings {
    let limits = Limits {
        recipients: 3,
        message_size: 200,
        header_size: 60,
        line: 30,
        command_line: 80,
        auth_line: 60,
        errors: 12,
        idle_commands: 20,
        ..Limits::default()
    };
    Settings {
        limits,
        ..settings()
    }
}

/// Generates pieces of sessions, valid and malformed, in any order.
fn script() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            &b"EHLO client.example\r\n"[..], b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<user@desk.example>\r\n",
            b"RCPT TO:<x@elsewhere.example>\r\n", b"DATA\r\n", b"RSET\r\n", b"NOOP\r\n", b"MAIL FROM:<> SIZE=300\r\n",
            // No line of SCRAM leads to a challenge, which would differ each time.
            b"AUTH PLAIN\r\n", b"AUTH LOGIN\r\n", b"AUTH SCRAM-SHA-256\r\n", b"AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9\r\n", b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", b"dXNlcg==\r\n", b"c2VjcmV0\r\n", b"*\r\n",
            b"\r\n.\r\n", b".\r\n", b"\r\n", b"\r", b"\n", b".", b"..", b"\0", b"\r\n\r\n", b"text", b"Subject: t\r\n", b"QUIT\r\n",
            b"BDAT 4\r\n", b"BDAT 9 LAST\r\n", b"BDAT 0\r\n", b"BDAT 0 LAST\r\n", b"BDAT 999\r\n", b"BDAT x\r\n",
            b"AUTH PLAIN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", b"BDAT 4 LAST xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ]).prop_map(<[u8]>::to_vec),
        4 => Just(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<user@desk.example>\r\nDATA\r\n".to_vec()),
        2 => Just(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<user@desk.example>\r\nBDAT 6\r\nab\r\ncd".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Returns all that a session did with these segments.
fn play(segments: &[&[u8]]) -> (String, Vec<Received>, usize, bool) {
    let mut server = Server::with(tight(), true);
    let said = segments.iter().map(|segment| server.say(segment)).collect();
    (said, server.messages, server.aborted, server.closed)
}

fn split<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| &bytes[pair[0]..pair[1]])
        .collect()
}

/// Generates lines that a server may send, and others that it may not, in any order.
fn replies() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            &b"220 mx\r\n"[..], b"250 ok\r\n", b"250-mx\r\n250-PIPELINING\r\n250 SIZE 9\r\n",
            b"354 go\r\n", b"450 4.2.1 busy\r\n", b"550-no\r\n550 5.1.1 no\r\n", b"421 bye\r\n",
            b"500 what\r\n", b"250", b"-", b"\r", b"\n",
        ]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| {
        [
            &b"220 mx\r\n250-mx\r\n250 PIPELINING\r\n"[..],
            &pieces.concat(),
        ]
        .concat()
    })
}

/// Returns the events of a client for this input, over several transactions of two recipients each.
/// Sent bytes are left out: they depend on the order of input and output.
fn listen(segments: &[&[u8]]) -> Vec<client::Event> {
    let settings = client::Settings {
        protocol: client::Protocol::Smtp,
        ehlo_name: "client.example".parse().unwrap(),
        tls: client::Tls::None,
        login: None,
    };
    let mut session = client::Session::new(settings, None);
    let mut events = Vec::new();
    let (mut begun, mut finished) = (0, 0);
    for segment in segments {
        session.feed(segment);
        loop {
            match session.next_event() {
                client::Event::NeedInput => break,
                client::Event::Send(_) => {}
                event => {
                    match &event {
                        client::Event::Ready => {
                            let recipients = ["a@b.example", "c@d.example"]
                                .map(|to| to.parse::<Address>().unwrap().into());
                            let transaction = client::Transaction {
                                reverse_path: ReversePath::Null,
                                recipients: recipients.into(),
                                size: 1,
                                eight_bit: false,
                                smtputf8: false,
                                long_lines: gatepost_smtp::client::LongLines::None,
                                ends_in_crlf: true,
                                dsn: MessageRequest::default(),
                                origin: None,
                            };
                            session.begin(transaction).unwrap();
                            begun += 1;
                        }
                        client::Event::SendBody(_) => session.body_sent(),
                        client::Event::Finished(result) => {
                            assert_eq!(result.recipients.len(), 2);
                            finished += 1;
                        }
                        _ => {}
                    }
                    let over = matches!(event, client::Event::Failed(_));
                    events.push(event);
                    if over {
                        assert_eq!(begun, finished, "{events:?}");
                        return events;
                    }
                }
            }
        }
    }
    assert!(begun - finished <= 1, "{events:?}");
    events
}

/// Generates messages that may be sent: lines of anything but CR, LF and NUL, ended by CRLF.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        prop::collection::vec(prop::sample::select(&b".ab\xe4 "[..]), 0..6),
        Just(b"..".to_vec()),
    ];
    prop::collection::vec(line, 0..20).prop_map(|lines| {
        lines
            .into_iter()
            .flat_map(|line| [line, b"\r\n".to_vec()].concat())
            .collect()
    })
}

fn stuffed(segments: &[&[u8]]) -> Vec<u8> {
    let mut stuffer = Framer::data();
    let mut wire = Vec::new();
    for segment in segments {
        wire.extend_from_slice(&stuffer.push(Bytes::copy_from_slice(segment)).unwrap());
    }
    wire.extend_from_slice(stuffer.finish().unwrap());
    wire
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn segments_do_not_change_a_server_session(script in script(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..30)) {
        let whole = play(&[&script]);
        prop_assert_eq!(&whole, &play(&split(&script, &cuts)));
        let octets: Vec<_> = script.chunks(1).collect();
        prop_assert_eq!(&whole, &play(&octets));
    }

    #[test]
    fn nothing_panics_and_every_reply_has_its_code(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (said, messages, ..) = play(&[&bytes]);
        prop_assert!(messages.is_empty());
        for line in said.split_terminator("\r\n") {
            let (code, text) = (&line[..3], &line[4..]);
            prop_assert!(code.starts_with(['2', '4', '5']) && text.starts_with(&code[..1]), "{}", line);
        }
    }

    #[test]
    fn segments_do_not_change_a_client_session(said in replies(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..30)) {
        let whole = listen(&[&said]);
        prop_assert_eq!(&whole, &listen(&split(&said, &cuts)));
        let octets: Vec<_> = said.chunks(1).collect();
        prop_assert_eq!(&whole, &listen(&octets));
    }

    #[test]
    fn a_stuffed_message_arrives_as_it_was(message in message(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10)) {
        let wire = stuffed(&split(&message, &cuts));
        prop_assert_eq!(&wire, &stuffed(&[&message]));
        let mut server = Server::in_transaction(settings());
        server.say(b"DATA\r\n");
        for segment in split(&wire, &cuts) {
            server.say(segment);
        }
        prop_assert_eq!(server.messages.len(), 1);
        prop_assert_eq!(&server.messages[0].bytes, &message);
        prop_assert_eq!(server.messages[0].eight_bit, !message.is_ascii());
    }

    #[test]
    fn the_framer_sends_no_stray_octet(bytes in prop::collection::vec(prop::sample::select(&b"\r\n\0.a"[..]), 0..20),
                                      cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5)) {
        let mut stuffer = Framer::data();
        let mut wire = Vec::new();
        let mut sound = true;
        for segment in split(&bytes, &cuts) {
            match stuffer.push(Bytes::copy_from_slice(segment)) {
                Ok(piece) => wire.extend_from_slice(&piece),
                Err(_) => { sound = false; break; }
            }
        }
        if sound {
            match stuffer.finish() {
                Ok(end) => wire.extend_from_slice(end),
                Err(_) => sound = false,
            }
        }
        let text = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(sound, !text.replace("\r\n", "").contains(['\r', '\n', '\0']));
        let wire = String::from_utf8(wire).unwrap().replace("\r\n", "");
        prop_assert!(!wire.contains(['\r', '\n', '\0']));
    }

    #[test]
    fn smtp_proto_reads_the_same_recipient(local in "[a-z.!\"\\\\ @<>]{0,6}|\"[a-z\\\\\"@> ,:]{1,4}\"", domain in "[a-zA-Z0-9.-]{1,12}") {
        // RFC 5321 allows the empty quoted string, smtp-proto does not. Nor does smtp-proto accept
        // misplaced dots.
        prop_assume!(local != "\"\"");
        let dots_are_in_place = || local.split('.').all(|atom| !atom.is_empty());
        prop_assume!(local.starts_with('"') || dots_are_in_place());
        let line = format!("RCPT TO:<{local}@{domain}>\r\n");
        let mut server = Server::in_transaction(settings());
        server.answers = vec![gatepost_smtp::server::Answer::Proceed];
        if server.say(line.as_bytes()).starts_with("250 ") {
            server.data(b".\r\n");
            let ours = &server.messages[0].recipients[1];
            let theirs = Request::parse(&mut line.as_bytes().iter());
            let Ok(Request::Rcpt { to }) = theirs else {
                return Err(TestCaseError::fail(format!("{line:?} is {theirs:?} to smtp-proto")));
            };
            let (local, domain) = ours.rsplit_once('@').unwrap();
            let unquoted = match local.strip_prefix('"').and_then(|l| l.strip_suffix('"')) {
                Some(quoted) => unescape(quoted),
                None => local.to_owned(),
            };
            let (their_local, their_domain) = to.address.rsplit_once('@').unwrap();
            prop_assert_eq!((unquoted, domain.to_owned()), (their_local.to_owned(), their_domain.to_lowercase()));
        }
    }

    #[test]
    fn proxy_headers_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..80), signed in any::<bool>()) {
        if signed {
            bytes.splice(0..0, *b"\r\n\r\n\0\r\nQUIT\n\x21");
        }
        if let proxy::Parsed::Header { length, .. } = proxy::parse(&bytes) {
            prop_assert!(length <= bytes.len());
        }
    }
}

fn unescape(quoted: &str) -> String {
    let mut out = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        out.extend(if character == '\\' {
            characters.next()
        } else {
            Some(character)
        });
    }
    out
}
