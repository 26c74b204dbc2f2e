//! Notices beyond a plain bounce: as requested, for delays, in the words of the site, for addresses
//! in any script, and whatever a server replied.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{
    Act, Moment, NextHopServer, Notice, Offer, Relay, message, new_message, route_all_to, say,
};
use gatepost_delivery::{Action, Language, Notifications, ToStrangers, bounce_of_refused};
use gatepost_model::{Flow, TlsMode};
use gatepost_smtp::Reply;
use gatepost_smtp::dsn::{EnvelopeId, Notify, OriginalRecipient, Ret, encode_xtext};
use gatepost_spool::{InitialState, NewMessage, QueueAdmin, SenderProof};
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Starts a server that refuses `bad` for good and `later` for now.
async fn refusing_by_recipient() -> NextHopServer {
    NextHopServer::start(Offer::usual(), choose).await
}

fn choose(_: usize, moment: Moment<'_>) -> Option<Act> {
    match moment {
        Moment::Command(line) if line.starts_with("RCPT TO:<bad") => say("550 5.2.2 full"),
        Moment::Command(line) if line.starts_with("RCPT TO:<later") => say("450 4.2.1 busy"),
        _ => None,
    }
}

fn notify(value: &'static str) -> impl Fn(&mut NewMessage) {
    move |message| {
        for recipient in &mut message.recipients {
            recipient.dsn.notify = Notify::parse(value);
        }
    }
}

/// Returns the notices that a server got, which are all its messages from the null sender.
fn notices(server: &NextHopServer) -> Vec<Notice> {
    let received = server.received();
    let notices = received
        .iter()
        .filter(|one| one.mail.starts_with("MAIL FROM:<>"));
    notices.map(|one| Notice::read(&one.data)).collect()
}

/// Delivers a message that fails; returns its notice, which may hold octets of any kind.
async fn bounced(change: impl FnOnce(&mut NewMessage), raw: &[u8]) -> Notice {
    let server = refusing_by_recipient().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept_with("alice@a.example", &["bad@b.example"], raw, change)
        .await;
    assert_eq!(relay.ended(1).await[0].1, "failed");
    assert_eq!(relay.noticed().await.0, Action::Failed);
    assert_eq!(relay.ended(1).await[0].1, "delivered");
    notices(&server).remove(0)
}

#[tokio::test]
async fn a_notice_quotes_the_envelope() {
    let notice = bounced(
        |message| {
            message.dsn.envelope_id = EnvelopeId::from_xtext("QQ+3D314159");
            message.recipients[0].dsn.original = Some(OriginalRecipient {
                address_type: "rfc822".to_owned(),
                address: "robert@b.example".to_owned(),
            });
        },
        &message("envelope"),
    )
    .await;
    assert_eq!(notice.message("Original-Envelope-Id"), "QQ=314159");
    assert_eq!(
        notice.recipient(0, "Original-Recipient"),
        "rfc822; robert@b.example"
    );
    assert_eq!(
        notice.recipient(0, "Final-Recipient"),
        "rfc822; bad@b.example"
    );
    let text = notice.joined();
    assert!(
        text.contains("bad@b.example (you wrote to robert@b.example)"),
        "{text}"
    );
    assert!(text.contains("The mailbox is full."), "{text}");
    assert!(text.contains("The header of your message is attached."));
}

#[tokio::test]
async fn ret_full_returns_the_message_octet_for_octet() {
    let raw = [message("full"), b"Gr\xc3\xbc\xc3\x9fe\r\n".to_vec()].concat();
    let full = |message: &mut NewMessage| message.dsn.ret = Some(Ret::Full);
    let notice = bounced(full, &raw).await;
    assert_eq!(notice.returned_type, "message/rfc822");
    let returned = notice
        .returned
        .strip_suffix(b"\r\n")
        .unwrap_or(&notice.returned);
    assert!(raw.starts_with(returned) && raw.len() - returned.len() <= 2);
    assert!(notice.text.contains("Your message is attached."));

    let headers = |message: &mut NewMessage| message.dsn.ret = Some(Ret::Headers);
    let notice = bounced(headers, &raw).await;
    assert_eq!(notice.returned_type, "text/rfc822-headers");
    assert!(!notice.returned_text().contains("Hello"));
}

/// A stranger's words are not in the relay's own sentences, and no body is returned to the address
/// that they name; the report for machines is as the envelope said.
#[tokio::test]
async fn a_notice_does_not_repeat_a_strangers_words() {
    let wanted = |sender| {
        move |message: &mut NewMessage| {
            message.sender = sender;
            message.dsn.ret = Some(Ret::Full);
            message.recipients[0].dsn.original = Some(OriginalRecipient {
                address_type: "rfc822".to_owned(),
                address: "buy at spam.example".to_owned(),
            });
        }
    };
    let raw = message("win at spam.example");
    for (sender, whole, quoted) in [
        (SenderProof::Authenticated, true, true),
        (SenderProof::Proved, true, false),
        (SenderProof::Unproved, false, false),
    ] {
        let notice = bounced(wanted(sender), &raw).await;
        let said = [notice.joined(), notice.header("Subject").to_owned()];
        for text in &said {
            assert_eq!(text.contains("spam.example"), quoted, "{sender:?}: {text}");
        }
        assert_eq!(
            notice.returned_type == "message/rfc822",
            whole,
            "{sender:?}"
        );
        assert_eq!(
            notice.recipient(0, "Original-Recipient"),
            "rfc822; buy at spam.example"
        );
    }
}

#[tokio::test]
async fn a_forged_sender_gets_no_notice() {
    let failed = |sender| {
        let mut message = new_message("alice@a.example", &["bad@b.example"], &message("x"));
        message.sender = sender;
        message.recipients[0].state = InitialState::Failed {
            reply: Reply::new(550, "5.7.1", "no"),
        };
        message
    };
    let told = async |notifications: Notifications, sender| {
        let bounce = bounce_of_refused(&notifications, "relay.example", &failed(sender)).await;
        bounce.is_some()
    };
    let default = Notifications::default;
    assert!(told(default(), SenderProof::Unproved).await);
    assert!(!told(default(), SenderProof::Refuted).await);
    let none = || Notifications {
        unproved: ToStrangers::None,
        ..default()
    };
    assert!(!told(none(), SenderProof::Unproved).await);
    assert!(told(none(), SenderProof::Proved).await);
    let header = || Notifications {
        spf_fail: ToStrangers::Header,
        ..default()
    };
    assert!(told(header(), SenderProof::Refuted).await);
}

#[tokio::test]
async fn only_the_header_of_a_large_message_is_returned() {
    let mut raw = message("large");
    while raw.len() <= 256 * 1024 {
        raw.extend_from_slice(b"All work and no play makes mail a dull thing.\r\n");
    }
    let notice = bounced(|message| message.dsn.ret = Some(Ret::Full), &raw).await;
    assert_eq!(notice.returned_type, "text/rfc822-headers");
    assert!(!notice.returned_text().contains("All work"));
    let text = notice.joined();
    assert!(
        text.contains("too large to be attached; its header is."),
        "{text}"
    );
}

#[tokio::test]
async fn notices_follow_notify() {
    let server = refusing_by_recipient().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    for quiet in ["NEVER", "SUCCESS", "DELAY"] {
        let raw = message(quiet);
        relay
            .accept_with("alice@a.example", &["bad@b.example"], &raw, notify(quiet))
            .await;
        assert_eq!(relay.ended(1).await[0].1, "failed");
    }
    for quiet in ["NEVER", "FAILURE", "DELAY"] {
        let raw = message(quiet);
        relay
            .accept_with("alice@a.example", &["good@b.example"], &raw, notify(quiet))
            .await;
        assert_eq!(relay.ended(1).await[0].1, "delivered");
    }
    let raw = message("told");
    relay
        .accept_with(
            "alice@a.example",
            &["bad@b.example"],
            &raw,
            notify("FAILURE"),
        )
        .await;
    assert_eq!(relay.ended(1).await[0].1, "failed");
    assert_eq!(relay.noticed().await.0, Action::Failed);
    assert_eq!(relay.ended(1).await[0].0, "alice@a.example");
    assert_eq!(notices(&server).len(), 1);
    assert_eq!(relay.queue().await, []);
}

#[tokio::test]
async fn the_relay_reports_success_if_the_next_hop_does_not() {
    let server = refusing_by_recipient().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept_with(
            "alice@a.example",
            &["good@b.example", "bad@b.example"],
            &message("relayed"),
            |message| {
                notify("SUCCESS,FAILURE")(message);
                message.dsn.ret = Some(Ret::Full);
            },
        )
        .await;
    relay.ended(2).await;
    assert_eq!(relay.noticed().await.0, Action::Failed);
    let relayed = (Action::Relayed, vec!["good@b.example".to_owned()]);
    assert_eq!(relay.noticed().await, relayed);
    relay.ended(2).await;
    let notices = notices(&server);
    let notice = (notices.iter())
        .find(|notice| notice.recipient(0, "Action") == "relayed")
        .unwrap();
    assert_eq!(notice.recipients.len(), 1);
    assert_eq!(notice.recipient(0, "Status"), "2.0.0");
    assert_eq!(notice.recipient(0, "Remote-MTA"), "dns; localhost");
    assert!(!notice.has(0, "Diagnostic-Code"));
    assert_eq!(notice.header("Subject"), "Passed on: relayed");
    // RET applies only to failures (RFC 3461 section 4.3).
    assert_eq!(notice.returned_type, "text/rfc822-headers");
}

#[tokio::test]
async fn success_over_lmtp_is_reported_as_delivered() {
    let server = refusing_by_recipient().await;
    let mut relay = Relay::start(route_all_to(server.lmtp()), |_| {});
    relay
        .accept_with(
            "alice@a.example",
            &["good@b.example"],
            &message("boxed"),
            notify("SUCCESS"),
        )
        .await;
    assert_eq!(relay.ended(1).await[0].1, "delivered");
    let delivered = (Action::Delivered, vec!["good@b.example".to_owned()]);
    assert_eq!(relay.noticed().await, delivered);
}

#[tokio::test]
async fn a_next_hop_that_offers_dsn_reports_success_itself() {
    let mut offer = Offer::usual();
    offer.extensions.push("DSN");
    let server = NextHopServer::start(offer, choose).await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept_with(
            "alice@a.example",
            &["good@b.example", "bad@b.example"],
            &message("passed"),
            notify("SUCCESS,FAILURE"),
        )
        .await;
    relay.ended(2).await;
    assert_eq!(relay.noticed().await.0, Action::Failed);
    relay.ended(1).await;
    // The notice asks the next hop for no notice about itself, too.
    let notice = server.received().pop().unwrap();
    assert_eq!(
        notice.recipients,
        ["RCPT TO:<alice@a.example> NOTIFY=NEVER"]
    );
    assert_eq!(notices(&server).len(), 1);
    assert_eq!(relay.queue().await, []);
}

#[tokio::test]
async fn a_delay_is_reported_once_and_on_time() {
    let server = refusing_by_recipient().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.retry.schedule = vec![3 * HOUR];
    });
    let id = relay
        .accept("alice@a.example", &["later@b.example"], &message("late"))
        .await;
    let told = async |relay: &Relay| {
        let record = relay.spool.show(id).await.unwrap().unwrap();
        record.summary.recipients[0].delay_told
    };
    assert_eq!(relay.ended(1).await[0].1, "deferred");
    relay.pass(3 * HOUR);
    assert_eq!(relay.ended(1).await[0].1, "deferred");
    assert!(!told(&relay).await);
    // The next wait would last until the sixth hour; the sender is told in the fourth.
    relay.pass(HOUR);
    assert_eq!(relay.ended(1).await[0].1, "deferred");
    assert_eq!(
        relay.noticed().await,
        (Action::Delayed, vec!["later@b.example".to_owned()])
    );
    assert!(told(&relay).await);
    assert_eq!(relay.ended(1).await[0].0, "alice@a.example");
    relay.pass(3 * HOUR);
    assert_eq!(relay.ended(1).await[0].1, "deferred");

    let notices = notices(&server);
    assert_eq!(notices.len(), 1);
    let notice = &notices[0];
    assert_eq!(notice.header("Subject"), "Delayed: late");
    assert_eq!(notice.recipient(0, "Action"), "delayed");
    assert_eq!(notice.recipient(0, "Status"), "4.2.1");
    let expires_at = relay.queue().await[0].expires_at;
    assert_eq!(
        notice.recipient(0, "Will-Retry-Until"),
        expires_at.rfc5322()
    );
    let until = expires_at.to_string()[..16].replace('T', " ");
    let text = notice.joined();
    assert!(text.contains(&format!("tried until {until} UTC")), "{text}");
}

#[tokio::test]
async fn delays_are_reported_only_to_senders_who_want_it() {
    let bulk = [b"Precedence: bulk\r\n".to_vec(), message("bulk")].concat();
    let plain = message("plain");
    type Case<'a> = (
        &'a str,
        Option<&'static str>,
        &'a [u8],
        bool,
        Option<Duration>,
        bool,
    );
    let cases: [Case<'_>; 9] = [
        ("alice@a.example", None, &plain, true, Some(4 * HOUR), true),
        (
            "alice@a.example",
            Some("DELAY"),
            &plain,
            false,
            Some(4 * HOUR),
            true,
        ),
        (
            "alice@a.example",
            Some("DELAY"),
            &bulk,
            true,
            Some(4 * HOUR),
            true,
        ),
        (
            "alice@a.example",
            None,
            &plain,
            false,
            Some(4 * HOUR),
            false,
        ),
        ("alice@a.example", None, &bulk, true, Some(4 * HOUR), false),
        (
            "alice@a.example",
            Some("FAILURE"),
            &plain,
            true,
            Some(4 * HOUR),
            false,
        ),
        (
            "alice@a.example",
            Some("NEVER"),
            &plain,
            true,
            Some(4 * HOUR),
            false,
        ),
        ("alice@a.example", Some("DELAY"), &plain, true, None, false),
        ("", Some("DELAY"), &plain, true, Some(4 * HOUR), false),
    ];
    for (from, asked, raw, unasked, delay, told) in cases {
        let server = refusing_by_recipient().await;
        let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
            settings.notifications = Arc::new(Notifications {
                delay,
                delay_unasked: unasked,
                ..Notifications::default()
            });
        });
        let id = relay
            .accept_with(from, &["later@b.example"], raw, |message| {
                if let Some(asked) = asked {
                    notify(asked)(message);
                }
            })
            .await;
        relay.ended(1).await;
        relay.pass(5 * HOUR);
        relay.ended(1).await;
        let record = relay.spool.show(id).await.unwrap().unwrap();
        assert_eq!(
            record.summary.recipients[0].delay_told, told,
            "{from} {asked:?} {unasked} {delay:?}"
        );
        if told {
            assert_eq!(relay.noticed().await.0, Action::Delayed);
        }
    }
}

#[tokio::test]
async fn notices_are_in_the_language_of_the_account() {
    let server = refusing_by_recipient().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.notifications = Arc::new(Notifications {
            languages: [("account".to_owned(), Language::Pt)].into(),
            ..Notifications::default()
        });
    });
    relay
        .accept("alice@a.example", &["bad@b.example"], &message("aviso"))
        .await;
    relay.ended(1).await;
    relay.noticed().await;
    relay.ended(1).await;
    let raw = server.received().remove(0).data;
    assert!(raw.is_ascii());
    let notice = Notice::read(&raw);
    assert_eq!(notice.header("Subject"), "Não entregue: aviso");
    assert_eq!(
        notice.header("From"),
        "Sistema de entrega de correio <MAILER-DAEMON@relay.example>"
    );
    let text = notice.joined();
    assert!(text.contains("A caixa de correio está cheia."), "{text}");
    // The part for machines is the same in every language.
    assert_eq!(notice.recipient(0, "Action"), "failed");
}

#[tokio::test]
async fn notices_name_an_international_address_in_its_script() {
    let raw = [b"Subject: ol\xc3\xa1\r\n".to_vec(), message("x")].concat();
    let notice = refused("alice@a.example", "josé@b.example", &raw, true).await;
    assert_eq!(notice.status_type, "message/global-delivery-status");
    assert_eq!(
        notice.recipient(0, "Final-Recipient"),
        "utf-8; josé@b.example"
    );
    assert_eq!(notice.returned_type, "message/global-headers");
    assert!(notice.returned_text().starts_with("Subject: olá\r\n"));

    // The notice itself needs SMTPUTF8 only for its own addressee.
    let from_there = notice_of("zoé@a.example", "josé@b.example", &raw, |message| {
        message.smtputf8 = true;
    });
    let from_there = Notice::read(&from_there.await);
    assert_eq!(from_there.header("To"), "<zoé@a.example>");

    // Where nothing needs those of RFC 6533, the common types are used.
    let notice = refused("alice@a.example", "bob@b.example", &message("plain"), true).await;
    assert_eq!(notice.status_type, "message/delivery-status");
    assert_eq!(notice.returned_type, "text/rfc822-headers");
}

#[tokio::test]
async fn without_smtputf8_notices_name_an_international_address_in_ascii() {
    let raw = message("x");
    let octets = notice_of("alice@a.example", "bob@b.example", &raw, |message| {
        message.recipients[0].dsn.original = Some(OriginalRecipient {
            address_type: "utf-8".to_owned(),
            address: "josé@b.example".to_owned(),
        });
    });
    let notice = Notice::read(&octets.await);
    assert_eq!(notice.status_type, "message/delivery-status");
    assert_eq!(
        notice.recipient(0, "Original-Recipient"),
        r"utf-8; jos\x{E9}@b.example"
    );
    assert!(notice.joined().contains("josé@b.example"));
}

/// Returns the notice about a message that came with SMTPUTF8 or without, and was refused after
/// DATA.
async fn refused(from: &str, to: &str, raw: &[u8], smtputf8: bool) -> Notice {
    let octets = notice_of(from, to, raw, |message| message.smtputf8 = smtputf8).await;
    Notice::read(&octets)
}

/// Returns the notice about a message that was changed and then refused after DATA.
async fn notice_of(
    from: &str,
    to: &str,
    raw: &[u8],
    change: impl FnOnce(&mut NewMessage),
) -> Vec<u8> {
    let mut message = new_message(from, &[to], raw);
    message.recipients[0].state = InitialState::Failed {
        reply: Reply::new(550, "5.7.1", "no"),
    };
    change(&mut message);
    let notice = bounce_of_refused(&Notifications::default(), "relay.example", &message).await;
    let notice = notice.expect("a notice").message;
    assert_eq!(notice.smtputf8, !notice.recipients[0].address.is_ascii());
    assert!(notice.transaction.reverse_path.is_null());
    let mut octets = notice.head.to_vec();
    let body = notice.body.body();
    let mut rest = vec![0; body.len() as usize];
    body.read_at(0, &mut rest).unwrap();
    octets.extend_from_slice(&rest);
    octets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// A notice is valid whatever anybody wrote: [`Notice::read`] checks it against the rules.
    #[test]
    fn every_notice_is_valid_whatever_is_quoted(
        reply in "(\\PC|[\\x00-\\x20\\x7f]|: |\r\n|\r\n\r\n--|<>){0,400}|[a-z]{900,3000}",
        orcpt in "(\\PC|[\\x00-\\x20]|\r\n){1,120}",
        envelope_id in "[ -~]{1,100}",
        subject in proptest::collection::vec(any::<u8>(), 0..300),
        helo in "\\PC{0,60}",
        smtputf8: bool,
        full: bool,
    ) {
        let subject: Vec<u8> = subject
            .into_iter()
            .filter(|octet| !matches!(octet, b'\r' | b'\n' | 0))
            .collect();
        let raw = [b"Subject: ".as_slice(), &subject, b"\r\n", &message("odd")].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let octets = runtime.block_on(notice_of("alice@a.example", "bad@b.example", &raw, |message| {
            message.smtputf8 = smtputf8;
            message.dsn.ret = Some(if full { Ret::Full } else { Ret::Headers });
            message.dsn.envelope_id = EnvelopeId::from_xtext(&encode_xtext(&envelope_id));
            message.transaction.session.flow = Flow::Inbound;
            message.transaction.session.helo = Some(helo);
            message.recipients[0].dsn.original = Some(OriginalRecipient {
                address_type: "utf-8".to_owned(),
                address: orcpt,
            });
            message.recipients[0].state = InitialState::Failed {
                reply: Reply::checked(550, None, &reply).unwrap(),
            };
        }));
        let notice = Notice::read(&octets);
        prop_assert_eq!(notice.recipients.len(), 1);
        prop_assert_eq!(notice.recipient(0, "Action"), "failed");
        prop_assert_eq!(notice.recipient(0, "Status"), "5.0.0");
        prop_assert!(notice.text.contains("bad@b.example"));
    }
}
