//! The client's side against a scripted server.

use bytes::Bytes;
use gatepost_message::{Address, ReversePath};
use gatepost_sasl::client::Channel;
use gatepost_smtp::client::{
    Capabilities, Event, Failure, Framer, Limits, OpeningStage, Origin, Outcome, Protocol, Session,
    Settings, Stage, StrayOctet, Tls, Transaction,
};
use gatepost_smtp::dsn;

const OFFER: &str = "250-mx.next.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1000\r\n";

/// A client session, the text it sent since the last call, and its other events.
struct Client {
    session: Session,
    sent: String,
    events: Vec<Event>,
}

impl Client {
    fn new(tls: Tls, secured: bool) -> Self {
        let settings = Settings {
            protocol: Protocol::Smtp,
            ehlo_name: "gatepost.example".parse().unwrap(),
            tls,
            login: None,
        };
        Self {
            session: Session::new(settings, secured.then(channel)),
            sent: String::new(),
            events: Vec::new(),
        }
    }

    /// Creates a session that has received this reply to LHLO.
    fn lmtp(offer: &str) -> Self {
        let mut client = Self::new(Tls::None, false);
        client.session = Session::new(
            Settings {
                protocol: Protocol::Lmtp,
                ehlo_name: "gatepost.example".parse().unwrap(),
                tls: Tls::None,
                login: None,
            },
            None,
        );
        assert_eq!(
            client.hear("220 lmtp.next.example\r\n"),
            "LHLO gatepost.example\r\n"
        );
        client.hear(offer);
        client
    }

    /// Creates a session that has received this reply to EHLO.
    fn ready(offer: &str) -> Self {
        let mut client = Self::new(Tls::None, false);
        assert_eq!(
            client.hear("220 mx.next.example\r\n"),
            "EHLO gatepost.example\r\n"
        );
        assert_eq!(client.hear(offer), "");
        assert_eq!(client.events(), [Event::Ready]);
        client
    }

    /// Feeds text of the server; returns the text that the client then sends.
    fn hear(&mut self, said: &str) -> String {
        self.session.feed(said.as_bytes());
        self.run();
        std::mem::take(&mut self.sent)
    }

    fn run(&mut self) {
        loop {
            match self.session.next_event() {
                Event::NeedInput => return,
                Event::Send(bytes) => self.sent.push_str(str::from_utf8(&bytes).unwrap()),
                event => {
                    let over = matches!(event, Event::Failed(_) | Event::Closed | Event::StartTls);
                    self.events.push(event);
                    if over {
                        return;
                    }
                }
            }
        }
    }

    fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn begin(&mut self, transaction: Transaction) -> String {
        self.session.begin(transaction).unwrap();
        self.hear("")
    }

    /// Returns code and stage of each recipient in the finished transaction.
    fn finished(&mut self) -> Vec<(u16, Stage)> {
        let result = self.events.iter().find_map(|event| match event {
            Event::Finished(result) => Some(result.clone()),
            _ => None,
        });
        let pair = |outcome: Outcome| (outcome.reply.code(), outcome.stage);
        result
            .expect("not finished")
            .recipients
            .into_iter()
            .map(pair)
            .collect()
    }

    fn failure(&self) -> &Failure {
        match self.events.last() {
            Some(Event::Failed(failure)) => failure,
            other => panic!("no failure but {other:?}"),
        }
    }
}

fn channel() -> Channel {
    Channel::encrypted("mx.next.example", 25, None)
}

fn transaction_to(recipients: &[&str]) -> Transaction {
    Transaction {
        reverse_path: ReversePath::parse("a@sender.example").unwrap(),
        recipients: recipients
            .iter()
            .map(|to| Address::parse(to).unwrap().into())
            .collect(),
        size: 321,
        eight_bit: false,
        smtputf8: false,
        long_lines: gatepost_smtp::client::LongLines::None,
        ends_in_crlf: true,
        dsn: dsn::MessageRequest::default(),
        origin: None,
    }
}

#[test]
fn a_session_goes_from_banner_and_ehlo_to_quit() {
    let mut client = Client::ready(OFFER);
    let offer = Capabilities {
        pipelining: true,
        eight_bit_mime: true,
        start_tls: false,
        size: true,
        max_size: Some(1000),
        dsn: false,
        ..Capabilities::default()
    };
    assert_eq!(client.session.capabilities(), &offer);
    client.session.quit();
    assert_eq!(client.hear(""), "QUIT\r\n");
    client.hear("221 2.0.0 Bye\r\n");
    assert_eq!(client.events(), [Event::Closed]);
}

#[test]
fn helo_is_sent_where_ehlo_is_unknown() {
    let mut client = Client::new(Tls::Opportunistic, false);
    client.hear("220 old.example\r\n");
    assert_eq!(client.hear("502 what\r\n"), "HELO gatepost.example\r\n");
    client.hear("250 old.example\r\n");
    assert_eq!(client.events(), [Event::Ready]);
    assert_eq!(
        client.begin(transaction_to(&["x@y.example"])),
        "MAIL FROM:<a@sender.example>\r\n"
    );
}

#[test]
fn a_server_that_refuses_ehlo_and_offers_too_little_after_helo_is_told_of_in_its_own_words() {
    let mut client = Client::new(Tls::Required, false);
    client.hear("220 old.example\r\n");
    client.hear("550 5.7.1 we do not know you\r\n");
    client.hear("250 old.example\r\n");
    let Failure::SessionRefused { stage, reply, .. } = client.failure() else {
        panic!("{:?}", client.failure());
    };
    assert_eq!(*stage, OpeningStage::Ehlo);
    assert_eq!(reply.to_string(), "550 5.7.1 we do not know you");
    assert!(client.failure().is_permanent());
    assert_eq!(client.session.opening(), Some(OpeningStage::Ehlo));
}

#[test]
fn pipelined_commands_go_out_together_and_the_message_after_354() {
    let mut client = Client::ready(OFFER);
    let sent = client.begin(Transaction {
        eight_bit: true,
        ..transaction_to(&["x@y.example", "z@y.example"])
    });
    assert_eq!(
        sent,
        "MAIL FROM:<a@sender.example> SIZE=321 BODY=8BITMIME\r\nRCPT TO:<x@y.example>\r\n\
         RCPT TO:<z@y.example>\r\nDATA\r\n"
    );
    assert!(client.session.begin(transaction_to(&[])).is_err());
    assert_eq!(client.hear("250 ok\r\n250 ok\r\n550 5.1.1 who?\r\n"), "");
    assert_eq!(client.events(), []);
    client.hear("354 go\r\n");
    assert_eq!(client.events(), [Event::SendBody(Framer::data())]);
    client.session.body_sent();
    client.hear("250 2.0.0 queued\r\n");
    assert_eq!(
        client.finished(),
        [(250, Stage::Message), (550, Stage::Recipient)]
    );
    assert_eq!(client.events().last(), Some(&Event::Ready));
    // The next needs no RSET.
    assert!(
        client
            .begin(transaction_to(&["x@y.example"]))
            .starts_with("MAIL ")
    );
}

#[test]
fn without_pipelining_each_command_waits_for_its_reply() {
    let mut client = Client::ready("250 mx.next.example\r\n");
    assert_eq!(
        client.begin(transaction_to(&["x@y.example", "z@y.example"])),
        "MAIL FROM:<a@sender.example>\r\n"
    );
    assert_eq!(client.hear("250 ok\r\n"), "RCPT TO:<x@y.example>\r\n");
    assert_eq!(
        client.hear("450 4.2.1 busy\r\n"),
        "RCPT TO:<z@y.example>\r\n"
    );
    assert_eq!(client.hear("250 ok\r\n"), "DATA\r\n");
    client.hear("451 4.3.0 no\r\n");
    assert_eq!(
        client.finished(),
        [(450, Stage::Recipient), (451, Stage::Data)]
    );
    client.events();
    // RSET clears the open transaction before the next.
    assert_eq!(client.begin(transaction_to(&["x@y.example"])), "RSET\r\n");
    assert_eq!(
        client.hear("250 ok\r\n"),
        "MAIL FROM:<a@sender.example>\r\n"
    );
    // A refused MAIL decides for all, and nothing more is asked.
    client.hear("553 5.1.8 no\r\n");
    assert_eq!(client.finished(), [(553, Stage::Mail)]);
    client.events();
    assert!(
        client
            .begin(transaction_to(&["x@y.example"]))
            .starts_with("MAIL ")
    );
    client.hear("250 ok\r\n550 no\r\n");
    assert_eq!(client.finished(), [(550, Stage::Recipient)]);
}

#[test]
fn a_server_that_wants_a_message_for_nobody_gets_none() {
    let mut client = Client::ready(OFFER);
    client.begin(transaction_to(&["x@y.example"]));
    assert_eq!(client.hear("250 ok\r\n550 no\r\n354 go\r\n"), ".\r\n");
    assert_eq!(client.events(), []);
    client.hear("554 no recipients\r\n");
    assert_eq!(client.finished(), [(550, Stage::Recipient)]);
    client.events();
    client.begin(transaction_to(&["x@y.example"]));
    let heard = client.hear("250 reset\r\n553 no\r\n503 no\r\n354 go\r\n");
    assert_eq!(heard, ".\r\n");
    client.hear("250 whatever\r\n");
    assert_eq!(client.finished(), [(553, Stage::Mail)]);
    client.events();
    client.begin(transaction_to(&["x@y.example"]));
    client.hear("250 ok\r\n550 no\r\n503 no\r\n");
    assert_eq!(client.finished(), [(550, Stage::Recipient)]);
    client.events();
    assert!(
        client
            .begin(transaction_to(&["x@y.example"]))
            .starts_with("RSET\r\nMAIL ")
    );
}

/// RFC 5321 section 2.3.8 binds the server to CRLF; but a client that does not understand a bare LF
/// delivers the same message at every attempt.
#[test]
fn replies_that_end_in_a_bare_lf_are_understood() {
    let mut client = Client::new(Tls::None, false);
    assert_eq!(client.hear("220 mx\n"), "EHLO gatepost.example\r\n");
    client.hear("250-mx\n250-PIPELINING\r\n250 SIZE 1000\n");
    assert!(client.session.capabilities().pipelining);
    client.begin(transaction_to(&["x@y.example"]));
    client.hear("250 ok\n250 ok\n354 go\n");
    client.session.body_sent();
    client.hear("250 taken\n");
    assert_eq!(client.finished(), [(250, Stage::Message)]);
}

/// RFC 5321 section 4.5.3.1.10; a message too large (RFC 3463) stays a permanent failure.
#[test]
fn a_552_to_rcpt_is_a_452() {
    for (reply, code) in [
        ("552 5.5.3 Too many recipients", 452),
        ("552 Too many recipients", 452),
        ("552 5.2.2 Mailbox full", 452),
        ("552 5.3.4 Message too big for system", 552),
        ("552 5.2.3 Message too long for this mailbox", 552),
    ] {
        let mut client = Client::ready(OFFER);
        client.begin(transaction_to(&["x@y.example", "z@y.example"]));
        client.hear(&format!("250 ok\r\n250 ok\r\n{reply}\r\n354 go\r\n"));
        client.session.body_sent();
        client.hear("250 taken\r\n");
        assert_eq!(
            client.finished(),
            [(250, Stage::Message), (code, Stage::Recipient)],
            "{reply}"
        );
    }
}

/// A server may keep the envelope of a message that it refused, and mix the next with it.
#[test]
fn rset_is_sent_after_a_refused_message() {
    let mut client = Client::ready(OFFER);
    client.begin(transaction_to(&["x@y.example"]));
    client.hear("250 ok\r\n250 ok\r\n354 go\r\n");
    client.session.body_sent();
    client.hear("554 5.7.1 not that\r\n");
    assert_eq!(client.finished(), [(554, Stage::Message)]);
    client.events();
    assert_eq!(
        client.begin(transaction_to(&["z@y.example"])),
        "RSET\r\nMAIL FROM:<a@sender.example> SIZE=321\r\nRCPT TO:<z@y.example>\r\nDATA\r\n"
    );
    client.hear("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    client.session.body_sent();
    client.hear("250 2.0.0 queued\r\n");
    assert_eq!(client.finished(), [(250, Stage::Message)]);
}

#[test]
fn many_recipients_go_out_in_bounded_groups() {
    let mut client = Client::ready(OFFER);
    let many: Vec<_> = (0..250).map(|n| format!("u{n}@y.example")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let mut sent = client.begin(transaction_to(&many));
    let mut groups = 0;
    while !sent.is_empty() {
        groups += 1;
        let commands = sent.lines().count();
        assert!(commands <= 100);
        let mut replies = "250 ok\r\n".repeat(commands);
        if sent.ends_with("DATA\r\n") {
            replies = replies.replacen("250 ok\r\n", "", 1) + "354 go\r\n";
        }
        sent = client.hear(&replies);
    }
    assert_eq!(
        (groups, client.events()),
        (3, vec![Event::SendBody(Framer::data())])
    );
    client.session.body_sent();
    client.hear("250 ok\r\n");
    assert_eq!(client.finished(), [(250, Stage::Message); 250]);
}

#[test]
fn messages_beyond_the_servers_extensions_are_not_sent() {
    let mut client = Client::ready("250 mx.next.example\r\n");
    let sent = client.begin(Transaction {
        eight_bit: true,
        ..transaction_to(&["x@y.example"])
    });
    assert_eq!(
        (sent.as_str(), client.finished()),
        ("", vec![(554, Stage::Local)])
    );
    assert_eq!(client.events().last(), Some(&Event::Ready));
    let sent = client.begin(transaction_to(&["ä@y.example", "x@y.example"]));
    assert_eq!(sent, "MAIL FROM:<a@sender.example>\r\n");
    assert_eq!(client.hear("250 ok\r\n"), "RCPT TO:<x@y.example>\r\n");
    client.hear("550 no\r\n");
    assert_eq!(
        client.finished(),
        [(553, Stage::Local), (550, Stage::Recipient)]
    );
}

#[test]
fn dsn_parameters_are_sent_only_where_dsn_is_offered() {
    let mut asked = transaction_to(&["x@y.example", "z@y.example"]);
    asked.dsn = dsn::MessageRequest {
        ret: Some(dsn::Ret::Headers),
        envelope_id: dsn::EnvelopeId::from_xtext("QQ+2B1"),
    };
    asked.recipients[0].dsn = dsn::RecipientRequest {
        notify: dsn::Notify::parse("SUCCESS,DELAY"),
        original: Some(dsn::OriginalRecipient {
            address_type: "rfc822".into(),
            address: "x+1@elsewhere.example".into(),
        }),
    };
    assert_eq!(
        Client::ready("250-y\r\n250-PIPELINING\r\n250 DSN\r\n").begin(asked.clone()),
        "MAIL FROM:<a@sender.example> RET=HDRS ENVID=QQ+2B1\r\n\
         RCPT TO:<x@y.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2B1@elsewhere.example\r\n\
         RCPT TO:<z@y.example>\r\nDATA\r\n"
    );
    assert_eq!(
        Client::ready("250-y\r\n250 PIPELINING\r\n").begin(asked),
        "MAIL FROM:<a@sender.example>\r\nRCPT TO:<x@y.example>\r\nRCPT TO:<z@y.example>\r\nDATA\r\n"
    );
}

#[test]
fn smtputf8_is_announced_where_an_address_or_the_header_section_needs_it() {
    const OFFER: &str = "250-y\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
    let mail = |transaction| Client::ready(OFFER).begin(transaction);
    assert_eq!(
        mail(transaction_to(&["x@y.example"])),
        "MAIL FROM:<a@sender.example>\r\n"
    );
    assert_eq!(
        mail(transaction_to(&["x@y.example", "jürgen@bücher.example"])),
        "MAIL FROM:<a@sender.example> SMTPUTF8\r\n"
    );
    let mut header = transaction_to(&["x@y.example"]);
    (header.smtputf8, header.eight_bit) = (true, true);
    assert_eq!(
        mail(header),
        "MAIL FROM:<a@sender.example> BODY=8BITMIME SMTPUTF8\r\n"
    );
    // RFC 6531 section 3.1: a server that offers it without 8BITMIME does not mean it.
    let mut client = Client::ready("250-y\r\n250 SMTPUTF8\r\n");
    client.begin(transaction_to(&["jürgen@bücher.example"]));
    assert_eq!(client.finished(), [(553, Stage::Local)]);
}

#[test]
fn without_smtputf8_domains_become_a_labels_and_other_non_ascii_is_not_sent() {
    let mut client = Client::ready("250-y\r\n250 PIPELINING\r\n");
    let mut some = transaction_to(&["x@bücher.example", "jürgen@y.example", "z@y.example"]);
    some.reverse_path = ReversePath::parse("a@absender-ä.example").unwrap();
    assert_eq!(
        client.begin(some),
        "MAIL FROM:<a@xn--absender--32a.example>\r\nRCPT TO:<x@xn--bcher-kva.example>\r\n\
         RCPT TO:<z@y.example>\r\nDATA\r\n"
    );
    client.hear("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    client.session.body_sent();
    client.hear("250 taken\r\n");
    assert_eq!(
        client.finished(),
        [
            (250, Stage::Message),
            (553, Stage::Local),
            (250, Stage::Message)
        ]
    );

    let mut sender = transaction_to(&["x@y.example"]);
    sender.reverse_path = ReversePath::parse("jürgen@sender.example").unwrap();
    let mut header = transaction_to(&["x@y.example"]);
    header.smtputf8 = true;
    for transaction in [sender, header] {
        let mut client = Client::ready(OFFER);
        assert_eq!(client.begin(transaction), "");
        let Some(Event::Finished(result)) = client.events().into_iter().next() else {
            panic!("not finished");
        };
        let code = result.recipients[0].reply.enhanced().unwrap();
        assert_eq!(code.to_string(), "5.6.7");
    }
}

#[test]
fn a_message_without_a_final_crlf_goes_as_one_chunk_once_a_recipient_is_accepted() {
    const OFFER: &str = "250-y\r\n250-PIPELINING\r\n250 CHUNKING\r\n";
    let mut open_ended = transaction_to(&["x@y.example", "z@y.example"]);
    open_ended.ends_in_crlf = false;
    let mut client = Client::ready(OFFER);
    assert_eq!(
        client.begin(open_ended.clone()),
        "MAIL FROM:<a@sender.example>\r\nRCPT TO:<x@y.example>\r\nRCPT TO:<z@y.example>\r\n"
    );
    assert_eq!(client.hear("250 ok\r\n250 ok\r\n"), "");
    assert_eq!(client.hear("550 no\r\n"), "BDAT 321 LAST\r\n");
    assert_eq!(client.events(), [Event::SendBody(Framer::chunk())]);
    client.session.body_sent();
    client.hear("250 taken\r\n");
    assert_eq!(
        client.finished(),
        [(250, Stage::Message), (550, Stage::Recipient)]
    );

    // For nobody, nothing is sent; the transaction left open is reset before the next.
    let mut client = Client::ready(OFFER);
    client.begin(open_ended.clone());
    assert_eq!(client.hear("250 ok\r\n550 no\r\n550 no\r\n"), "");
    assert_eq!(
        client.finished(),
        [(550, Stage::Recipient), (550, Stage::Recipient)]
    );
    assert!(
        client
            .begin(transaction_to(&["x@y.example"]))
            .starts_with("RSET\r\n")
    );

    // Where it is not offered, DATA adds the line's end.
    let mut client = Client::ready("250-y\r\n250 PIPELINING\r\n");
    assert!(client.begin(open_ended).ends_with("DATA\r\n"));
}

#[test]
fn a_chunk_is_sent_unchanged_and_a_stray_octet_stops_it() {
    let mut whole = Framer::chunk();
    let sent: Vec<_> = [&b".a\r\n..b\r"[..], b"\n.", b"c"]
        .iter()
        .flat_map(|piece| whole.push(Bytes::copy_from_slice(piece)).unwrap())
        .collect();
    assert_eq!(sent, b".a\r\n..b\r\n.c");
    assert_eq!(whole.finish(), Ok(&b""[..]));
    let mut stray = Framer::chunk();
    stray.push(Bytes::from_static(b"a\r")).unwrap();
    assert_eq!(stray.finish(), Err(StrayOctet));
}

#[test]
fn lmtp_answers_once_for_each_accepted_recipient() {
    let mut client = Client::lmtp("250-y\r\n250 PIPELINING\r\n");
    client.begin(transaction_to(&[
        "a@y.example",
        "b@y.example",
        "c@y.example",
    ]));
    client.hear("250 ok\r\n250 ok\r\n550 5.1.1 who\r\n250 ok\r\n354 go\r\n");
    client.session.body_sent();
    client.hear("250 2.0.0 stored\r\n");
    assert!(
        !client
            .events
            .iter()
            .any(|event| matches!(event, Event::Finished(_))),
        "one reply is still due"
    );
    client.hear("452 4.2.2 full\r\n");
    assert_eq!(
        client.finished(),
        [
            (250, Stage::Message),
            (550, Stage::Recipient),
            (452, Stage::Message)
        ]
    );
    assert_eq!(client.events().last(), Some(&Event::Ready));
}

#[test]
fn a_lost_lmtp_connection_keeps_the_recipients_already_answered() {
    let mut client = Client::lmtp("250-y\r\n250 PIPELINING\r\n");
    client.begin(transaction_to(&["a@y.example", "b@y.example"]));
    client.hear("250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    client.session.body_sent();
    client.hear("250 2.0.0 stored\r\n");
    client.session.fail(Failure::Disconnected("gone".into()));
    client.run();
    assert_eq!(
        client.finished(),
        [(250, Stage::Message), (451, Stage::Local)]
    );
}

#[test]
fn a_server_without_lhlo_fails_an_lmtp_session() {
    let client = Client::lmtp("500 what\r\n");
    assert!(
        matches!(
            client.failure(),
            Failure::SessionRefused {
                stage: OpeningStage::Ehlo,
                ..
            }
        ),
        "{:?}",
        client.events
    );
    // RFC 2033 section 4.2: DATA is refused where nobody was accepted.
    let mut client = Client::lmtp("250-y\r\n250 PIPELINING\r\n");
    client.begin(transaction_to(&["a@y.example"]));
    client.hear("250 ok\r\n550 no\r\n354 go\r\n");
    assert_eq!(client.finished(), [(550, Stage::Recipient)]);
    assert!(matches!(client.failure(), Failure::Protocol(_)));
}

#[test]
fn xforward_gives_the_wanted_attributes_before_mail() {
    let origin = Origin {
        client: Some("[2001:db8::1]:4000".parse().unwrap()),
        helo: Some("strange (name)+=".into()),
        extended: true,
        ident: "0197c1f2".into(),
    };
    let mut transaction = transaction_to(&["x@y.example"]);
    transaction.origin = Some(origin.clone());
    let offer =
        "250-y\r\n250-PIPELINING\r\n250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE MORE\r\n";
    let mut client = Client::ready(offer);
    assert_eq!(
        client.begin(transaction.clone()),
        "XFORWARD NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=4000 PROTO=ESMTP \
         HELO=strange+20(name)+2B+3D IDENT=0197c1f2 SOURCE=REMOTE\r\n\
         MAIL FROM:<a@sender.example>\r\nRCPT TO:<x@y.example>\r\nDATA\r\n"
    );
    // If XFORWARD is refused, the transaction continues.
    client.hear("550 not you\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    assert_eq!(
        client.events().last(),
        Some(&Event::SendBody(Framer::data()))
    );

    transaction.origin = Some(Origin {
        client: None,
        // 255 octets once encoded.
        helo: Some("=".repeat(85)),
        extended: false,
        ident: "i".repeat(200),
    });
    let sent = Client::ready(offer).begin(transaction.clone());
    let lines: Vec<_> = sent
        .lines()
        .filter(|line| line.starts_with("XFORWARD"))
        .collect();
    assert_eq!(lines.len(), 2, "{sent}");
    assert!(lines.iter().all(|line| line.len() <= 510), "{sent}");
    assert!(lines[0].ends_with("+3D") && lines[0].contains(" ADDR=[UNAVAILABLE]"));
    assert!(lines[1].ends_with(" SOURCE=LOCAL"));

    // A longer value is not sent.
    transaction.origin.as_mut().unwrap().helo = Some("=".repeat(86));
    let sent = Client::ready(offer).begin(transaction.clone());
    assert!(sent.contains(" HELO=[UNAVAILABLE] "), "{sent}");

    assert!(Client::ready(OFFER).begin(transaction).starts_with("MAIL"));
}

#[test]
fn the_limits_of_the_server_are_read() {
    let client = Client::ready("250-y\r\n250 limits rcptmax=20 MAILMAX=5 RCPTDOMAINMAX=1 X=y\r\n");
    let limits = client.session.capabilities().limits;
    assert_eq!(limits.recipients.map(|most| most.get()), Some(20));
    assert_eq!(limits.transactions.map(|most| most.get()), Some(5));
    assert_eq!(limits.domains.map(|most| most.get()), Some(1));
    let client = Client::ready("250-y\r\n250 LIMITS RCPTMAX=0 MAILMAX\r\n");
    assert_eq!(client.session.capabilities().limits, Limits::default());
}

#[test]
fn starttls_is_used_where_offered_and_allowed() {
    let offer = "250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n";
    for tls in [Tls::Opportunistic, Tls::Required] {
        let mut client = Client::new(tls, false);
        client.hear("220 mx\r\n");
        assert_eq!(client.hear(offer), "STARTTLS\r\n");
        client.hear("220 go\r\n");
        assert_eq!(client.events(), [Event::StartTls]);
        client.session.tls_started(channel());
        assert_eq!(client.hear(""), "EHLO gatepost.example\r\n");
        // Capabilities offered in plaintext are dropped.
        client.hear("250 mx\r\n");
        assert_eq!(client.events(), [Event::Ready]);
        assert!(!client.session.capabilities().pipelining);
    }
    let mut client = Client::new(Tls::None, false);
    client.hear("220 mx\r\n");
    assert_eq!(client.hear(offer), "");
    let mut client = Client::new(Tls::Required, true);
    client.hear("220 mx\r\n");
    assert_eq!(client.hear("250 mx\r\n"), "");
    assert_eq!(client.events(), [Event::Ready]);
}

#[test]
fn failed_starttls_fails_the_session_only_where_tls_is_required() {
    let offer = "250-mx\r\n250 STARTTLS\r\n";
    let started = |tls, reply: &str| {
        let mut client = Client::new(tls, false);
        client.hear("220 mx\r\n");
        client.hear(offer);
        client.hear(reply);
        client
    };
    assert_eq!(
        started(Tls::Opportunistic, "454 4.7.0 no\r\n").events(),
        [Event::Ready]
    );
    let refused = started(Tls::Required, "454 4.7.0 no\r\n");
    assert!(matches!(
        refused.failure(),
        Failure::SessionRefused {
            stage: OpeningStage::StartTls,
            ..
        }
    ));
    let injected = started(Tls::Required, "220 go\r\n250 mx\r\n");
    assert!(matches!(injected.failure(), Failure::Protocol(_)));
    let mut absent = Client::new(Tls::Required, false);
    absent.hear("220 mx\r\n");
    absent.hear("250 mx\r\n");
    assert_eq!(absent.failure(), &Failure::TlsNotOffered);
    assert_eq!(absent.failure().reply().code(), 450);
    let mut broken = started(Tls::Opportunistic, "220 go\r\n");
    broken.session.fail(Failure::Tls("bad certificate".into()));
    broken.run();
    assert!(broken.failure().to_string().contains("bad certificate"));
}

#[test]
fn a_refused_session_names_the_step_and_the_reply() {
    use OpeningStage::{Ehlo, Greeting};
    let cases = [
        (vec!["554 5.7.1 go away\r\n"], Greeting, true),
        (vec!["421 4.3.2 later\r\n"], Greeting, false),
        (vec!["220 mx\r\n", "451 4.3.0 later\r\n"], Ehlo, false),
        (
            vec!["220 mx\r\n", "500 what\r\n", "550 what\r\n"],
            Ehlo,
            true,
        ),
    ];
    for (said, at, permanent) in cases {
        let mut client = Client::new(Tls::None, false);
        said.iter()
            .for_each(|said| assert!(!client.hear(said).contains("MAIL")));
        let Failure::SessionRefused { stage, reply, .. } = client.failure() else {
            panic!("{said:?}")
        };
        assert_eq!((*stage, client.session.opening()), (at, Some(at)));
        assert!(said.last().unwrap().starts_with(&reply.code().to_string()));
        assert_eq!(client.failure().is_permanent(), permanent);
        // Whatever the server says, it fails no message.
        assert!(client.failure().reply().is_transient());
        assert!(client.failure().reply().to_string().contains(&reply.text()));
    }
    let mut client = Client::ready(OFFER);
    client.hear("421 4.4.2 idle\r\n");
    let Failure::SessionEnded { stage, reply } = client.failure() else {
        panic!("{:?}", client.failure())
    };
    assert_eq!((*stage, reply.code()), (Stage::Local, 421));
    assert_eq!(client.session.opening(), None);
}

#[test]
fn a_421_decides_open_recipients_and_ends_the_session() {
    let mut client = Client::ready(OFFER);
    client.begin(transaction_to(&[
        "x@y.example",
        "y@y.example",
        "z@y.example",
    ]));
    client.hear("250 ok\r\n550 no\r\n250 ok\r\n421 4.3.2 bye\r\n");
    let fates = [
        (550, Stage::Recipient),
        (421, Stage::Recipient),
        (421, Stage::Recipient),
    ];
    assert_eq!(client.finished(), fates);
    assert!(matches!(
        client.failure(),
        Failure::SessionEnded {
            stage: Stage::Recipient,
            ..
        }
    ));

    let mut client = Client::ready(OFFER);
    client.begin(transaction_to(&["x@y.example"]));
    client.hear("250 ok\r\n250 ok\r\n354 go\r\n552 5.3.4 that is enough\r\n");
    assert_eq!(client.finished(), [(552, Stage::Message)]);
    assert!(matches!(
        client.failure(),
        Failure::SessionEnded {
            stage: Stage::Message,
            ..
        }
    ));
}

#[test]
fn every_transaction_finishes_whatever_goes_wrong() {
    let envelope = "250 ok\r\n250 ok\r\n";
    for (said, body) in [
        ("", false),
        ("250 ok\r\n", false),
        (envelope, false),
        ("250 ok\r\n250 ok\r\n354 go\r\n", true),
    ] {
        for failure in [
            Failure::TimedOut,
            Failure::Disconnected("reset by peer".into()),
        ] {
            let mut client = Client::ready(OFFER);
            client.begin(transaction_to(&["x@y.example"]));
            client.hear(said);
            if body {
                client.session.body_sent();
            }
            client.session.fail(failure.clone());
            client.run();
            assert_eq!(client.finished(), [(451, Stage::Local)]);
            assert_eq!(client.failure(), &failure);
            assert!(client.session.begin(transaction_to(&[])).is_err());
        }
    }
}

#[test]
fn malformed_and_unfit_replies_end_the_session() {
    let long = format!("250 {}\r\n", "x".repeat(40_000));
    let endless = "250-x\r\n".repeat(5000);
    for said in [
        "hello\r\n",
        "25 ok\r\n",
        "150 ok\r\n",
        "999 ok\r\n",
        "250ok\r\n",
        "250-a\r\n550 b\r\n",
        "354 go\r\n",
        &long,
        &long[..39_000],
        &endless,
    ] {
        let mut client = Client::ready(OFFER);
        client.begin(transaction_to(&["x@y.example"]));
        client.hear(said);
        assert_eq!(client.finished(), [(451, Stage::Local)], "{}", &said[..8]);
        assert!(matches!(client.failure(), Failure::Protocol(_)));
    }
    for said in [
        "250 ok\r\n250 ok\r\n250 ok\r\n",
        "250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n",
    ] {
        let mut client = Client::ready(OFFER);
        client.begin(transaction_to(&["x@y.example"]));
        client.hear(said);
        assert_eq!(client.finished(), [(451, Stage::Local)], "{said}");
    }
    let mut client = Client::ready(OFFER);
    client.hear("250 unasked\r\n");
    assert!(matches!(client.failure(), Failure::Protocol(_)));
}

#[test]
fn replies_are_read_whole_in_any_segments() {
    let mut client = Client::ready(OFFER);
    client.begin(transaction_to(&["x@y.example"]));
    for octet in "250 ok\r\n550-5.1.1 No such\r\n550 5.1.1 user\x07 here\r\n".bytes() {
        client.hear(str::from_utf8(&[octet]).unwrap());
    }
    client.hear("503 no\r\n");
    let Some(Event::Finished(result)) = client.events().into_iter().next() else {
        panic!()
    };
    let reply = &result.recipients[0].reply;
    assert_eq!(reply.enhanced().unwrap().to_string(), "5.1.1");
    assert_eq!(reply.lines(), ["No such", "user  here"]);
}

#[test]
fn the_limit_on_replies_holds_for_each_reply() {
    let mut client = Client::ready(OFFER);
    for _ in 0..20 {
        client.begin(transaction_to(&["x@y.example"]));
        let text = "x".repeat(3000);
        client.hear(&format!("553 {text}\r\n503 {text}\r\n503 {text}\r\n"));
        assert_eq!(client.finished(), [(553, Stage::Mail)]);
        assert_eq!(client.events().last(), Some(&Event::Ready));
    }
}

#[test]
fn quit_at_any_time_ends_the_session() {
    let mut client = Client::new(Tls::None, false);
    client.session.quit();
    client.run();
    assert_eq!(client.events(), [Event::Closed]);
    let mut client = Client::ready(OFFER);
    client.begin(transaction_to(&["x@y.example"]));
    client.session.quit();
    client.run();
    assert_eq!(client.finished(), [(451, Stage::Local)]);
    let mut client = Client::ready(OFFER);
    client.session.quit();
    client.session.fail(Failure::Disconnected("closed".into()));
    client.run();
    assert_eq!(client.events(), [Event::Closed]);
}

#[test]
fn the_framer_copies_only_where_a_dot_is_stuffed() {
    let mut stuffer = Framer::data();
    let piece = Bytes::from_static(b"a.\r\nb\r\n");
    let sent = stuffer.push(piece.clone()).unwrap();
    assert_eq!((sent.as_ptr(), &sent), (piece.as_ptr(), &piece));
    assert_eq!(
        stuffer.push(Bytes::from_static(b".\r\n..\r\n")).unwrap(),
        "..\r\n...\r\n"
    );
    assert_eq!(stuffer.finish(), Ok(&b".\r\n"[..]));
    assert_eq!(Framer::data().finish(), Ok(&b".\r\n"[..]));
    let mut unended = Framer::data();
    unended.push(Bytes::from_static(b"x")).unwrap();
    assert_eq!(unended.finish(), Ok(&b"\r\n.\r\n"[..]));
    assert_eq!(
        Framer::data().push(Bytes::from_static(b"a\nb")),
        Err(StrayOctet)
    );
}
