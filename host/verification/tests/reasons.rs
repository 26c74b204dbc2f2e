//! Every reason for which a verification fails, provoked by a reply, a report, a message or silence.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod support;

use std::collections::BTreeSet;

use gatepost_authentication::Authentication::{Fail, Pass};
use gatepost_connections::{DialogueStage, Profile, Profiles};
use gatepost_message::Message;
use gatepost_smtp::Reply;
use gatepost_verification::*;
use support::{address, bytes, changed, domain, facts, good, judged, judged_at, sent, without};

fn profile(name: &str) -> Profile {
    Profile::clone(Profiles::built_in().get(name).unwrap())
}

/// Returns the failure of an attempt that ended in this stage with this reply.
fn replied(name: &str, stage: DialogueStage, code: u16, said: &str) -> VerificationFailure {
    let (enhanced, text) = said.split_once(' ').unwrap();
    let reply = match enhanced.parse() {
        Ok(enhanced) => Reply::checked(code, Some(enhanced), text),
        Err(_) => Reply::checked(code, None, said),
    };
    failure_of_reply(&profile(name), stage, &reply.unwrap())
}

/// Returns the failure of a session of which the relay says this.
fn relay_said(stage: DialogueStage, said: &str) -> VerificationFailure {
    let text = format!("mail.customer.example:587: {said}");
    failure_of_reply(&profile("generic"), stage, &Reply::new(451, "4.7.8", text))
}

fn handshake(why: &str) -> VerificationFailure {
    let said = format!("TLS handshake with the next hop failed: {why}");
    relay_said(DialogueStage::Tls, &said)
}

/// Returns the failure of an inbound probe that came back like this over the session.
fn came(change: impl FnOnce(&Message) -> Message) -> VerificationFailure {
    let customer = domain("customer.example");
    let (probe, message) = sent(ProbeKind::Inbound, ReturnWay::Session(customer.clone()));
    let report = judged(
        &probe,
        &change(&message),
        &ArrivalWay::Session(customer),
        &good(),
    );
    support::failure(&report).clone()
}

fn returned_by(way: ArrivalWay) -> VerificationFailure {
    let customer = domain("customer.example");
    let (probe, message) = sent(ProbeKind::Inbound, ReturnWay::Session(customer));
    support::failure(&judged(&probe, &message, &way, &good())).clone()
}

fn returned_to(recipient: &str) -> VerificationFailure {
    let (probe, message) = sent(ProbeKind::Inbound, ReturnWay::Forwarded);
    let recipient = address(recipient);
    let way = ArrivalWay::Forwarded;
    support::failure(&judged_at(&probe, &message, &way, &good(), &recipient)).clone()
}

fn delivered(facts: gatepost_authentication::Facts) -> VerificationFailure {
    let (probe, message) = sent(ProbeKind::Outbound, ReturnWay::Delivered);
    support::failure(&judged(&probe, &message, &ArrivalWay::Direct, &facts)).clone()
}

fn report(text: &str) -> VerificationFailure {
    let octets = text.replace('\n', "\r\n");
    let report = gatepost_reports::read(octets.as_bytes(), true).expect("a report");
    match judge_report(&profile("generic"), &report) {
        ReportVerdict::Failed(failure) | ReportVerdict::Delayed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

fn dsn(action: &str, status: &str, diagnostic: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mail.customer.example\nTo: probe@desk.example\n\
         Subject: Undelivered\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
         --b\n\nIt was not delivered.\n--b\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mail.customer.example\n\n\
         Final-Recipient: rfc822; help@customer.example\nAction: {action}\n\
         Status: {status}\nDiagnostic-Code: smtp; {diagnostic}\n\n--b--\n"
    )
}

fn silence(last: Option<VerificationFailure>, was_accepted: bool) -> VerificationFailure {
    let (probe, _) = sent(ProbeKind::Inbound, ReturnWay::Forwarded);
    assert_eq!(
        judge_silence(&probe, support::AT, last.as_ref(), was_accepted),
        None
    );
    judge_silence(&probe, support::DEADLINE, last.as_ref(), was_accepted).unwrap()
}

fn provoked() -> Vec<(FailureReason, VerificationFailure)> {
    use DialogueStage::{Auth, Connect, Data, Ehlo, Greeting, Mail, Recipient};
    use FailureReason as R;
    let ms = "microsoft-365";
    vec![
        (
            R::CredentialsRefused,
            replied(ms, Auth, 535, "5.7.3 Authentication unsuccessful"),
        ),
        (
            R::CredentialsRefused,
            replied(
                ms,
                Auth,
                535,
                "5.7.139 SmtpClientAuthentication is disabled",
            ),
        ),
        (
            R::CredentialsRefused,
            replied("generic", Auth, 535, "5.7.8 bad credentials"),
        ),
        (
            R::CredentialsRefused,
            relay_said(
                Auth,
                "next hop refuses the session in reply to AUTH: 535 5.7.8 no",
            ),
        ),
        (
            R::CredentialsRefused,
            relay_said(
                Auth,
                "there is no credential to log in with: the token server refuses",
            ),
        ),
        (
            R::OnlyNtlmOrGssapi,
            relay_said(
                Auth,
                "cannot log in at the next hop: the server offers no mechanism that this \
                 connection allows and its credential can use (offered: GSSAPI, NTLM)",
            ),
        ),
        (
            R::NoCommonLogIn,
            relay_said(
                Auth,
                "cannot log in at the next hop: the server offers no mechanism that this \
                 connection allows and its credential can use (offered: PLAIN, NTLM)",
            ),
        ),
        (
            R::NoCommonLogIn,
            relay_said(
                Auth,
                "cannot log in at the next hop: the server offers no mechanism that this \
                 connection allows and its credential can use (offered: none)",
            ),
        ),
        (
            R::TlsUntrusted,
            handshake("invalid peer certificate: UnknownIssuer"),
        ),
        (
            R::TlsUntrusted,
            handshake("invalid peer certificate: ApplicationVerificationFailure"),
        ),
        (
            R::TlsWrongName,
            handshake(
                "invalid peer certificate: certificate not valid for name \"mail.customer.example\"",
            ),
        ),
        (
            R::TlsExpired,
            handshake("invalid peer certificate: certificate expired: 2020"),
        ),
        (
            R::TlsVersion,
            handshake("received fatal alert: ProtocolVersion"),
        ),
        (
            R::TlsVersion,
            handshake("peer is incompatible: ServerDoesNotSupportTls12Or13"),
        ),
        (
            R::TlsNotOffered,
            relay_said(
                Ehlo,
                "next hop does not offer STARTTLS, which the route requires",
            ),
        ),
        (
            R::TlsFailed,
            handshake("received corrupt message of type InvalidContentType"),
        ),
        (
            R::Unreachable,
            relay_said(Connect, "cannot connect to 192.0.2.1:587: refused"),
        ),
        (
            R::Unreachable,
            relay_said(Greeting, "next hop did not answer in time"),
        ),
        (
            R::SenderNotAllowed,
            replied(
                ms,
                Data,
                550,
                "5.7.60 SMTP; Client does not have permissions to send as this sender",
            ),
        ),
        (
            R::SenderNotAllowed,
            replied(ms, Data, 554, "5.2.252 SendAsDenied; user not allowed"),
        ),
        (
            R::SenderNotAllowed,
            replied(
                "postfix",
                Mail,
                553,
                "5.7.1 <help@customer.example>: Sender address rejected: not owned by user ann",
            ),
        ),
        (
            R::QuotaReached,
            replied(
                ms,
                Data,
                554,
                "5.2.0 STOREDRV.Submission; SubmissionQuotaExceeded",
            ),
        ),
        (
            R::MailboxFull,
            replied("generic", Recipient, 552, "5.2.2 Mailbox full"),
        ),
        (R::MailboxFull, replied(ms, Data, 554, "5.2.2 mailbox full")),
        (
            R::NoSuchMailbox,
            replied("generic", Recipient, 550, "5.1.1 User unknown"),
        ),
        (
            R::ForwardingForbidden,
            report(&dsn(
                "failed",
                "5.7.520",
                "550 5.7.520 Access denied, Your organization does not allow external forwarding.",
            )),
        ),
        (
            R::NoSuchMailbox,
            report(&dsn(
                "failed",
                "5.1.10",
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound",
            )),
        ),
        (
            R::MailboxFull,
            report(&dsn("failed", "5.2.2", "552 5.2.2 over quota")),
        ),
        (
            R::GreylistedTooLong,
            report(&dsn(
                "delayed",
                "4.2.0",
                "450 4.2.0 Greylisted, come back later",
            )),
        ),
        (
            R::GreylistedTooLong,
            silence(
                Some(replied(
                    "generic",
                    Recipient,
                    450,
                    "4.2.0 Greylisted, come back later",
                )),
                false,
            ),
        ),
        (R::NeverReturned, silence(None, true)),
        (R::Unreachable, silence(None, false)),
        (R::ReturnedUnauthenticated, returned_by(ArrivalWay::Direct)),
        (
            R::ReturnedUnauthenticated,
            returned_by(ArrivalWay::Forwarded),
        ),
        (
            R::ReturnedUnauthenticated,
            delivered(facts(Fail, Fail, Fail)),
        ),
        (
            R::ReturnedFromAnotherDomain,
            returned_by(ArrivalWay::Session(domain("other.example"))),
        ),
        (
            R::ReturnedFromAnotherDomain,
            delivered(facts(Pass, Fail, Fail)),
        ),
        (
            R::ReturnedToAnotherAddress,
            returned_to("f-xyz@native.desk.example"),
        ),
        (
            R::FromRewritten,
            came(|message| changed(message, "acme@native.desk.example", "ann@customer.example")),
        ),
        (R::FromRewritten, came(|message| without(message, "From"))),
        (
            R::FromRewritten,
            came(|message| support::prepended(message, "From: <ceo@bank.example>\r\n")),
        ),
        (
            R::HeaderLost,
            came(|message| without(message, "X-Gatepost-Email-Id")),
        ),
        (
            R::HeaderAltered,
            came(|message| changed(message, "Acme Desk Mailer", "Outlook")),
        ),
        (
            R::SignatureReplaced,
            came(|message| changed(message, "d=desk.example; s=g1", "d=customer.example; s=k")),
        ),
        (
            R::ConfirmationWaiting,
            VerificationFailure::of(FailureReason::ConfirmationWaiting)
                .with_detail("Google: 123456789"),
        ),
        (
            R::Refused,
            replied("generic", Data, 554, "5.7.1 Message looks like spam"),
        ),
        (R::Refused, report(&dsn("failed", "5.0.0", "554 no"))),
        (
            R::Refused,
            replied("generic", Greeting, 554, "5.7.1 Your address is blocked"),
        ),
    ]
}

#[test]
fn every_reason_is_provoked_and_says_what_to_do() {
    let mut seen = BTreeSet::new();
    for (reason, failure) in provoked() {
        assert_eq!(failure.reason, reason, "{failure}");
        let text = failure.to_string();
        assert!(text.starts_with(reason.title()), "{text}");
        assert!(failure.advice.len() > 20, "{reason}: {}", failure.advice);
        let stored = serde_json::to_string(&failure).unwrap();
        assert_eq!(
            serde_json::from_str::<VerificationFailure>(&stored).unwrap(),
            failure
        );
        assert!(stored.contains(reason.code()), "{stored}");
        seen.insert(reason);
    }
    let all: BTreeSet<_> = FailureReason::ALL.into_iter().collect();
    assert_eq!(seen, all);
}

#[test]
fn codes_are_stable_and_of_one_reason_each() {
    for reason in FailureReason::ALL {
        assert_eq!(FailureReason::of_code(reason.code()), Some(reason));
        let json = serde_json::to_value(reason).unwrap();
        assert_eq!(json, reason.code());
    }
    assert_eq!(FailureReason::of_code("unknown"), None);
}

#[test]
fn the_words_of_the_server_are_quoted_and_those_of_the_relay_are_not() {
    let refused = replied(
        "generic",
        DialogueStage::Auth,
        535,
        "5.7.8 bad\u{1b}[2J credentials",
    );
    let text = refused.to_string();
    assert!(text.contains("your server says: \"535 5.7.8 bad"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    let own = handshake("invalid peer certificate: UnknownIssuer");
    assert_eq!(own.server, None);
    assert!(own.to_string().contains("UnknownIssuer"), "{own}");
    let quoted = relay_said(
        DialogueStage::Auth,
        "next hop refuses the session in reply to AUTH: 535 5.7.8 no such user",
    );
    let words = quoted.server.unwrap();
    assert_eq!(words.as_str(), "535 5.7.8 no such user");
}

#[test]
fn the_profile_of_a_service_gives_the_more_exact_advice() {
    let microsoft = replied(
        "microsoft-365",
        DialogueStage::Auth,
        535,
        "5.7.139 disabled",
    );
    assert!(
        microsoft.advice.contains("Set-CASMailbox"),
        "{}",
        microsoft.advice
    );
    assert_ne!(microsoft.advice, FailureReason::CredentialsRefused.advice());
    let unknown = replied(
        "generic",
        DialogueStage::Recipient,
        550,
        "5.1.1 User unknown",
    );
    assert_eq!(unknown.advice, FailureReason::NoSuchMailbox.advice());
}

#[test]
fn words_are_bounded() {
    let long = "x".repeat(100_000);
    let words = QuotedWords::of(&long).unwrap();
    assert!(words.as_str().chars().count() <= 301);
    assert_eq!(QuotedWords::of(" \r\n\t "), None);
    let failure = replied(
        "generic",
        DialogueStage::Data,
        554,
        &format!("5.7.1 {long}"),
    );
    assert!(failure.to_string().len() < 1_000);
}

#[test]
fn a_probe_that_nobody_has_to_wait_for_fails_at_once() {
    use gatepost_model::{AttemptResult, AttemptStage, Ending};
    let result = |ending, stage, reply: Reply| AttemptResult {
        recipient: address("help@customer.example"),
        ending,
        stage,
        reply,
        step: None,
        server: Some("smtp.customer.example:587".to_owned()),
        tls: None,
        sent_as: None,
        message_id: None,
    };
    let judge =
        |ending, stage, reply| judge_attempt(&profile("generic"), &result(ending, stage, reply));
    let taken = judge(
        Ending::Delivered,
        AttemptStage::Message,
        Reply::new(250, "2.0.0", "ok"),
    );
    assert_eq!(taken, AttemptVerdict::Accepted);
    let refused = Reply::new(
        451,
        "4.7.8",
        "mx:587: next hop refuses the session in reply to AUTH: 535 5.7.8 no",
    );
    let refused = judge(Ending::Deferred, AttemptStage::Auth, refused);
    assert!(matches!(
        refused,
        AttemptVerdict::Failed(VerificationFailure {
            reason: FailureReason::CredentialsRefused,
            ..
        })
    ));
    let later = Reply::new(454, "4.7.0", "Temporary authentication failure");
    let later = judge(Ending::Deferred, AttemptStage::Auth, later);
    assert!(matches!(
        later,
        AttemptVerdict::Waiting(VerificationFailure {
            reason: FailureReason::Refused,
            ..
        })
    ));
    let greylisted = Reply::new(450, "4.2.0", "Greylisted for 300 seconds");
    let greylisted = judge(Ending::Deferred, AttemptStage::Recipient, greylisted);
    assert!(matches!(
        greylisted,
        AttemptVerdict::Waiting(VerificationFailure {
            reason: FailureReason::GreylistedTooLong,
            ..
        })
    ));
    let unknown = Reply::new(550, "5.1.1", "User unknown");
    let unknown = judge(Ending::Failed, AttemptStage::Recipient, unknown);
    assert!(matches!(
        unknown,
        AttemptVerdict::Failed(VerificationFailure {
            reason: FailureReason::NoSuchMailbox,
            ..
        })
    ));
}

#[test]
fn mail_that_waits_for_a_connection_in_trouble_fails_for_the_same_reason() {
    use FailureReason as R;
    for (words, reason, is_quoted) in [
        ("535 5.7.8 bad credentials", R::CredentialsRefused, true),
        ("{\"status\":\"401\"}", R::CredentialsRefused, false),
        (
            "TLS handshake with the next hop failed: invalid peer certificate: UnknownIssuer",
            R::TlsUntrusted,
            false,
        ),
        (
            "next hop does not offer STARTTLS, which the route requires",
            R::TlsNotOffered,
            false,
        ),
        (
            "cannot connect to 192.0.2.1:587: Connection refused",
            R::Unreachable,
            false,
        ),
        (
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
            R::SenderNotAllowed,
            true,
        ),
        ("554 5.2.0 SubmissionQuotaExceeded", R::QuotaReached, true),
        ("421 4.3.0 closing", R::Refused, true),
    ] {
        let text = format!("{}{words}", gatepost_connections::IN_TROUBLE);
        let reply = Reply::new(451, "4.3.2", text);
        let failure = failure_of_reply(&profile("microsoft-365"), DialogueStage::Data, &reply);
        assert_eq!(failure.reason, reason, "{words}: {failure}");
        assert_eq!(failure.server.is_some(), is_quoted, "{words}: {failure}");
    }
    let limited = Reply::new(451, "4.7.0", gatepost_connections::AT_ITS_LIMITS);
    let limited = failure_of_reply(&profile("generic"), DialogueStage::Data, &limited);
    assert_eq!(limited.reason, R::QuotaReached);
}

#[test]
fn the_trouble_of_a_connection_means_the_same() {
    use gatepost_connections::{ConnectionTrouble, ReplyClass};
    for (stage, class, words, reason) in [
        (
            DialogueStage::Auth,
            ReplyClass::SetUp,
            "535 5.7.8 no",
            FailureReason::CredentialsRefused,
        ),
        (
            DialogueStage::Tls,
            ReplyClass::Temporary,
            "TLS handshake with the next hop failed: invalid peer certificate: UnknownIssuer",
            FailureReason::TlsUntrusted,
        ),
        (
            DialogueStage::Connect,
            ReplyClass::Temporary,
            "cannot connect to 192.0.2.1:25: refused",
            FailureReason::Unreachable,
        ),
    ] {
        let trouble = ConnectionTrouble {
            since: support::AT,
            stage,
            class,
            words: words.to_owned(),
            advice: "advice of the relay".to_owned(),
            next_probe: support::DEADLINE,
        };
        let failure = failure_of_trouble(&profile("generic"), &trouble);
        assert_eq!(failure.reason, reason, "{failure}");
    }
}

#[test]
fn a_message_that_is_a_report_or_an_answer_is_not_the_probe() {
    let kind = |text: &str, from_nobody| {
        let octets = text.replace('\n', "\r\n");
        let message = support::message(&octets);
        ArrivalKind::of(&message, octets.as_bytes(), from_nobody, &support::token())
    };
    let (_, probe) = sent(ProbeKind::Inbound, ReturnWay::Forwarded);
    let octets = bytes(&probe);
    let whole = ArrivalKind::of(&probe, &octets, false, &support::token());
    assert_eq!(whole, ArrivalKind::Probe);
    assert_eq!(
        kind(&dsn("failed", "5.1.1", "550 5.1.1 no"), true),
        ArrivalKind::Report
    );
    let token = support::token();
    let answer = format!(
        "From: ann@customer.example\nSubject: Re: Test [{0}]\n\
         In-Reply-To: <probe.{0}@desk.example>\n\nThank you\n",
        token.as_str()
    );
    assert_eq!(kind(&answer, false), ArrivalKind::Answer);
    let away = format!(
        "From: ann@customer.example\nSubject: Away: [{}]\nAuto-Submitted: auto-replied\n\nAway\n",
        token.as_str()
    );
    assert_eq!(kind(&away, false), ArrivalKind::Answer);
}

/// Of a domain that does not exist the relay itself says so: no server was asked.
#[test]
fn words_of_the_relay_are_not_a_servers() {
    use gatepost_model::{AttemptResult, AttemptStage, Ending};
    let judge = |server: Option<&str>| {
        let words = "the domain customer.example does not exist";
        let result = AttemptResult {
            recipient: address("help@customer.example"),
            ending: Ending::Failed,
            stage: AttemptStage::Recipient,
            reply: Reply::new(550, "5.1.2", words),
            step: None,
            server: server.map(str::to_owned),
            tls: None,
            sent_as: None,
            message_id: None,
        };
        match judge_attempt(&profile("generic"), &result) {
            AttemptVerdict::Failed(failure) => failure.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let said = judge(Some("mx.customer.example:25"));
    assert!(said.contains("your server says: \"550 5.1.2"), "{said}");
    let own = judge(None);
    assert!(!own.contains("your server"), "{own}");
    assert!(
        own.contains("(the domain customer.example does not exist)"),
        "{own}"
    );
}
