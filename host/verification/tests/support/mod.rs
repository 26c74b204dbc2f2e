//! A probe that was sent, and what comes back.
#![allow(dead_code, reason = "each test uses a part of it")]

use bytes::Bytes;
use gatepost_authentication::{Authentication, DkimFact, Facts};
use gatepost_message::{Address, Domain, Message, Millis};
use gatepost_verification::*;
use ring::hmac;

pub const AT: Millis = Millis(1_790_000_000_000);
pub const DEADLINE: Millis = Millis(1_790_000_900_000);

/// Id of the probe.
pub const ID: &str = "zabcdefghijklmnopqrstu2345";

pub const SIGNATURE: &str =
    "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=desk.example; s=g1; b=AB CD";

pub fn tokens() -> ProbeTokens {
    ProbeTokens::new(vec![hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])])
}

pub fn token() -> ProbeToken {
    tokens().issue(ID.parse().unwrap()).unwrap()
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

pub fn marks() -> ProbeMarks {
    ProbeMarks::standard(
        "Acme Desk",
        "acme",
        "0197c1f2-8f6e-7b3a-9d51-3f0c6a2e4b17.c5tqkz4v",
    )
}

/// A probe of `help@customer.example` in a kind and a language, unsigned.
pub fn composed(kind: ProbeKind, language: Language) -> Message {
    with_plan(kind, language, compose)
}

fn with_plan<T>(kind: ProbeKind, language: Language, f: impl FnOnce(&ProbePlan<'_>) -> T) -> T {
    let support = address("help@customer.example");
    let native = address("acme@native.desk.example");
    let (from, to) = match kind {
        ProbeKind::Inbound => (&native, &support),
        ProbeKind::Outbound => (&support, &native),
        ProbeKind::Circuit => (&support, &support),
    };
    f(&ProbePlan {
        kind,
        token: &token(),
        from,
        to,
        address: &support,
        domain: &domain("desk.example"),
        product: "Acme Desk",
        marks: &marks(),
        language,
        at: AT,
    })
}

/// A probe as it left, and its record.
pub fn sent(kind: ProbeKind, way: ReturnWay) -> (SentProbe, Message) {
    with_plan(kind, Language::En, |plan| {
        let message = prepended(&compose(plan), &format!("DKIM-Signature: {SIGNATURE}\r\n"));
        let returns_to = match &way {
            ReturnWay::Session(_) => address("help@customer.example"),
            ReturnWay::Forwarded => address("f-abc@native.desk.example"),
            ReturnWay::Delivered => address("acme@native.desk.example"),
        };
        let probe = SentProbe::of(plan, &message, returns_to, way, DEADLINE);
        (probe, message)
    })
}

pub fn bytes(message: &Message) -> Vec<u8> {
    message.to_bytes().unwrap().to_vec()
}

pub fn message(text: impl AsRef<[u8]>) -> Message {
    Message::from_bytes(Bytes::copy_from_slice(text.as_ref()))
}

pub fn prepended(to: &Message, fields: &str) -> Message {
    message([fields.as_bytes(), &bytes(to)].concat())
}

/// The message with one text in place of another.
pub fn changed(original: &Message, from: &str, to: &str) -> Message {
    let text = String::from_utf8(bytes(original)).unwrap();
    assert!(text.contains(from), "{from:?} is not in\n{text}");
    message(text.replacen(from, to, 1))
}

/// The message without the field of this name.
pub fn without(original: &Message, name: &str) -> Message {
    let field = original.named(name).next().unwrap().raw().to_vec();
    changed(original, &String::from_utf8(field).unwrap(), "")
}

pub fn signed(result: Authentication, domain: &str) -> DkimFact {
    DkimFact {
        result,
        domain: domain.to_owned(),
        selector: "g1".to_owned(),
        ..DkimFact::default()
    }
}

/// Facts with these results of SPF, of the relay's signature and of DMARC.
pub fn facts(spf: Authentication, dkim: Authentication, dmarc: Authentication) -> Facts {
    let mut facts = Facts::default();
    facts.spf.mailfrom.result = spf;
    facts.spf.mailfrom.domain = "customer.example".to_owned();
    facts.dkim = vec![signed(dkim, "desk.example")];
    facts.dmarc.result = dmarc;
    facts.dmarc.domain = "customer.example".to_owned();
    facts.dmarc.alignment.spf = spf == Authentication::Pass && dmarc == Authentication::Pass;
    facts
}

pub fn good() -> Facts {
    facts(
        Authentication::Pass,
        Authentication::Pass,
        Authentication::Pass,
    )
}

/// Judges a message that came back to the address that it should come to.
pub fn judged(sent: &SentProbe, came: &Message, way: &ArrivalWay, facts: &Facts) -> ProbeReport {
    judged_at(sent, came, way, facts, &sent.returns_to)
}

pub fn judged_at(
    sent: &SentProbe,
    came: &Message,
    way: &ArrivalWay,
    facts: &Facts,
    recipient: &Address,
) -> ProbeReport {
    let place = tokens().find(came, &bytes(came)).expect("a token").place;
    judge_arrival(
        sent,
        &ArrivedProbe {
            message: came,
            recipient,
            way,
            facts,
            place,
        },
    )
}

pub fn failure(report: &ProbeReport) -> &VerificationFailure {
    match &report.outcome {
        ProbeOutcome::Failed(failure) => failure,
        ProbeOutcome::Passed => panic!("it passed: {report:#?}"),
    }
}
