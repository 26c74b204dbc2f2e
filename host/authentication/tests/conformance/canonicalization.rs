//! flanker's vectors of canonicalisation. Each is signed here over the octets that the suite
//! expects: the signature passes if, and only if, the same octets come out of the message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use gatepost_authentication::{Authentication, Settings};
use sha2::{Digest, Sha256};
use test_support::{Zone, conformance};

use crate::sign::Signer;
use crate::world::{World, crlf};

/// The canonical fields, each with its line end, and the canonical body.
fn parts(canonical: &str) -> (Vec<&str>, &str) {
    let (head, body) = match canonical.strip_prefix("\r\n") {
        Some(body) => ("", body),
        None => canonical.split_once("\r\n\r\n").expect("an empty line"),
    };
    let mut fields = Vec::new();
    let mut rest = head;
    while !rest.is_empty() {
        let end = rest
            .match_indices("\r\n")
            .map(|(position, _)| position)
            .find(|end| !rest[end + 2..].starts_with([' ', '\t']))
            .unwrap_or(rest.len());
        fields.push(&rest[..end]);
        rest = rest[end..].strip_prefix("\r\n").unwrap_or_default();
    }
    (fields, body)
}

/// The message with a signature over what `canonical` says of it.
fn signed(signer: &Signer, way: &str, message: &[u8], canonical: &str) -> Vec<u8> {
    let (fields, body) = parts(canonical);
    let names: Vec<_> = fields
        .iter()
        .rev()
        .filter_map(|field| field.split(':').next())
        .map(str::trim)
        .chain(["from"])
        .collect();
    let hash = BASE64.encode(Sha256::digest(body));
    let value = format!(
        "v=1; a=ed25519-sha256; c={way}/{way}; d=example.net; s=s; h={}; bh={hash}; b=",
        names.join(":")
    );
    let name = if way == "simple" {
        "DKIM-Signature"
    } else {
        "dkim-signature"
    };
    let mut input = String::new();
    for field in fields.iter().rev() {
        input.push_str(field);
        input.push_str("\r\n");
    }
    input.push_str(&format!("{name}:{value}"));
    let signature = BASE64.encode(signer.raw(input.as_bytes()));
    let separator = if canonical.starts_with("\r\n") && message.is_empty() {
        "\r\n"
    } else {
        ""
    };
    [
        format!("DKIM-Signature:{value}{signature}\r\n{separator}").as_bytes(),
        message,
    ]
    .concat()
}

#[test]
fn every_message_is_canonical_as_the_suite_expects() {
    let Some(folder) = conformance("dkim-canon-flanker") else {
        return;
    };
    let signer = Signer::new();
    let mut zone = Zone::new();
    signer.publish(&mut zone, "example.net");
    let world = World::of(zone);
    let mut checked = 0;
    for number in 1..=25 {
        let read = |kind: &str| std::fs::read_to_string(folder.join(format!("{kind}.{number:02}")));
        let Ok(email) = read("email") else { continue };
        for way in ["simple", "relaxed"] {
            let canonical = read(&format!("{way}.expected")).expect("the expectation");
            let message = signed(&signer, way, &crlf(&email), &canonical);
            let facts = world.facts(&message, &Settings::default());
            assert_eq!(
                facts.dkim[0].result,
                Authentication::Pass,
                "{number} {way}: {facts:?}\n{}",
                String::from_utf8_lossy(&message)
            );
            let other = canonical.replacen(['a', 'o'], "x", 1) + "x";
            let other = signed(&signer, way, &crlf(&email), &other);
            let facts = world.facts(&other, &Settings::default());
            assert_eq!(facts.dkim[0].result, Authentication::Fail, "{number} {way}");
            checked += 1;
        }
    }
    assert_eq!(checked, 42);
}
