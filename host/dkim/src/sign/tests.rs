//! The examples of RFC 6376 and RFC 8463 reproduced, and the fields that are signed.

use ring::signature::{
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey,
};

use super::*;
use crate::Algorithm;

/// Message of both examples, without Received.
const MESSAGE: &str = "From: Joe SixPack <joe@football.example.com>\r\n\
    To: Suzie Q <suzie@shopping.example.net>\r\n\
    Subject: Is dinner ready?\r\n\
    Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
    Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\
    \r\n\
    Hi.\r\n\
    \r\n\
    We lost the game. Are you hungry yet?\r\n\
    \r\n\
    Joe.\r\n";

/// Hash of its body in both examples (RFC 6376 with erratum 3192).
const BODY_HASH: &str = "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=";

fn message(text: &str) -> Message {
    Message::from_bytes(Bytes::copy_from_slice(text.as_bytes()))
}

/// Returns the octets that a signature with this value signs, which names these fields.
fn octets(form: Canonicalization, message: &Message, names: &[&str], value: &str) -> Vec<u8> {
    let fields = names.iter().filter_map(|name| message.named(name).next());
    let fields: Vec<_> = fields.map(|field| raw(&field)).collect();
    octets_to_sign(form, &fields, value)
}

fn hash_of(message: &Message, form: Canonicalization) -> String {
    STANDARD.encode(body_hash(message.body().as_ref(), form).unwrap())
}

/// Returns true if an RSA key of 1024 bits has made a signature. PKCS #1 v1.5 has one signature
/// for a key and octets, so this is the one.
fn is_made_by_rsa(key: &str, octets: &[u8], signature: &str) -> bool {
    // The RSAPublicKey in the SubjectPublicKeyInfo.
    let key = STANDARD.decode(key).unwrap().split_off(22);
    UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key)
        .verify(octets, &STANDARD.decode(signature).unwrap())
        .is_ok()
}

#[test]
fn the_example_of_rfc_6376_is_reproduced() {
    let received = "Received: from client1.football.example.com  [192.0.2.1]\r\n      \
        by submitserver.example.com with SUBMISSION;\r\n      \
        Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n";
    let message = message(&format!("{received}{MESSAGE}"));
    let simple = Canonicalization::Simple;
    assert_eq!(hash_of(&message, simple), BODY_HASH);
    // Indented as in erratum 4926.
    let value = format!(
        " v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n      \
         c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n      \
         h=Received : From : To : Subject : Date : Message-ID;\r\n      \
         bh={BODY_HASH};\r\n      b=;"
    );
    let names = ["Received", "From", "To", "Subject", "Date", "Message-ID"];
    let octets = octets(simple, &message, &names, &value);
    let key = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt\
        IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH\
        4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";
    let signature = "AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB4nujc7YopdG5dWLSdNg6xN\
        AZpOPr+kHxt1IrE+NahM6L/LbvaHutKVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV4bmp/\
        YzhwvcubU4=";
    assert!(is_made_by_rsa(key, &octets, signature));
}

#[test]
fn the_example_of_rfc_8463_is_reproduced() {
    let text = MESSAGE.replace("game. Are", "game.  Are");
    let (message, relaxed) = (message(&text), Canonicalization::Relaxed);
    assert_eq!(hash_of(&message, relaxed), BODY_HASH);
    let names = ["From", "To", "Subject", "Date", "Message-ID"];
    let value = |start: &str, names: &str| {
        format!(
            " v=1; a={start}-sha256; c=relaxed/relaxed;\r\n \
             d=football.example.com; i=@football.example.com;\r\n {names}\r\n bh={BODY_HASH};\r\n b="
        )
    };
    let seed = STANDARD.decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
    let key = Ed25519KeyPair::from_seed_unchecked(&seed.unwrap()).unwrap();
    assert_eq!(
        STANDARD.encode(key.public_key().as_ref()),
        "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    );
    let by_ed25519 = value(
        "ed25519",
        "q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n \
         subject : date : message-id : from : subject : date;",
    );
    let octets_of_ed25519 = octets(relaxed, &message, &names, &by_ed25519);
    let hash = ring::digest::digest(&ring::digest::SHA256, &octets_of_ed25519);
    assert_eq!(
        STANDARD.encode(key.sign(hash.as_ref()).as_ref()),
        "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
    );
    let by_rsa = value(
        "rsa",
        "q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n \
         date : message-id : from : subject : date;",
    );
    let octets = octets(relaxed, &message, &names, &by_rsa);
    let key = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bd\
        OKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5Qj\
        vHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";
    let signature = "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF\
        6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUx\
        ZQ4FADY+8=";
    assert!(is_made_by_rsa(key, &octets, signature));
}

fn signer() -> Arc<Signer> {
    Arc::new(Signer {
        domain: "customer.example".parse().unwrap(),
        selector: "desk-ed25519-1".parse().unwrap(),
        key: PrivateKey::generate(Algorithm::Ed25519).unwrap(),
    })
}

/// Returns the names in `h=`, in lower case.
fn names(signed: &Message) -> Vec<String> {
    let value = signed.header("DKIM-Signature").unwrap();
    let names = value.split("h=").nth(1).unwrap().split(';').next().unwrap();
    let names = names
        .split(':')
        .map(|name| name.trim().to_ascii_lowercase());
    names.collect()
}

#[test]
fn each_field_is_signed_once_more_than_it_occurs() {
    let message = message(
        "Return-Path: <a@b>\r\nReceived: r\r\nList-Id: l\r\nResent-From: f\r\nSender: s@x\r\n\
         From: a@customer.example\r\nTo: a@b\r\nto: c@d\r\nContent-Language: en\r\n\r\nbody\r\n",
    );
    let fields = sign(&message, &[signer(), signer()], Millis(1_700_000_000_999)).unwrap();
    let signed = with_signatures(&message, &fields);
    assert_eq!(signed.count("DKIM-Signature"), 2);
    let value = signed.header("DKIM-Signature").unwrap();
    for tag in ["c=relaxed/relaxed;", "d=customer.example;", "t=1700000000;"] {
        assert!(value.contains(tag), "{tag}: {value}");
    }
    assert!(!value.contains("l="), "{value}");
    let names = names(&signed);
    let count = |name: &str| names.iter().filter(|signed| *signed == name).count();
    for (name, times) in [
        ("from", 2),
        ("to", 3),
        ("cc", 1),
        ("reply-to", 1),
        ("mime-version", 1),
        ("content-language", 2),
        ("content-type", 1),
        ("sender", 0),
        ("received", 0),
        ("list-id", 0),
        ("resent-from", 0),
        ("return-path", 0),
    ] {
        assert_eq!(count(name), times, "{name}: {names:?}");
    }
    let lines = str::from_utf8(&fields).unwrap().split("\r\n");
    assert!(lines.clone().all(|line| line.len() <= 78));
}

#[test]
fn a_message_of_too_many_fields_or_without_an_author_is_not_signed() {
    let many = "To: a@b\r\n".repeat(MOST_NAMES);
    let error = sign(
        &message(&format!("From: a@b\r\n{many}\r\n")),
        &[],
        Millis(0),
    )
    .unwrap_err();
    assert!(matches!(error, SignError::TooManyFields));
    let many: String = (0..200).map(|n| format!("Content-{n}: x\r\n")).collect();
    let error = sign(
        &message(&format!("From: a@b\r\n{many}\r\n")),
        &[],
        Millis(0),
    )
    .unwrap_err();
    assert!(matches!(error, SignError::TooManyFields));
    let error = sign(&message("To: a@b\r\n\r\n"), &[], Millis(0)).unwrap_err();
    assert!(matches!(error, SignError::NoFrom));
}
