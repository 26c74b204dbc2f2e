//! The result in a trusted ARC seal overrides a failure of DMARC; a set that an attacker has put
//! below a trusted seal does not.

use ring::digest::{SHA256, digest};

use crate::{STRANGER, Signer, Site, author, base64, codes, eml};

const PASS: &str = "dmarc=pass header.from=author.example";
const FAIL: &str = "dmarc=fail header.from=author.example";

#[test]
fn a_trusted_sealer_is_believed() {
    let (mut zone, _) = author("reject");
    let list = Signer::new("list.example", &mut zone);
    let other = Signer::new("other.example", &mut zone);
    let site = Site::start(zone, r#"{ trusted-sealers = ["list.example"] }"#);
    let message = eml("question");
    assert_eq!(
        site.direct(STRANGER, &sealed(&message, &[(&list, PASS)]))
            .code,
        250
    );
    let taken = site.sink.take();
    assert_eq!(
        taken.header("X-Gatepost-Tags").as_deref(),
        Some("arc-override")
    );
    let results = taken.header("Authentication-Results").unwrap();
    assert!(
        results.contains("arc=pass") && results.contains("dmarc=fail"),
        "{results}"
    );

    let untrusted = site.direct(STRANGER, &sealed(&message, &[(&other, PASS)]));
    assert_eq!(codes(&untrusted), (550, "5.7.1"));
    let failed = site.direct(STRANGER, &sealed(&message, &[(&list, FAIL)]));
    assert_eq!(codes(&failed), (550, "5.7.1"));
    site.ends();
}

#[test]
fn an_attackers_set_below_a_trusted_seal_is_not_believed() {
    let (mut zone, _) = author("reject");
    let list = Signer::new("list.example", &mut zone);
    let attacker = Signer::new("attacker.example", &mut zone);
    let site = Site::start(zone, r#"{ trusted-sealers = ["list.example"] }"#);
    let message = sealed(&eml("question"), &[(&attacker, PASS), (&list, FAIL)]);
    assert_eq!(codes(&site.direct(STRANGER, &message)), (550, "5.7.1"));
    // In an unbroken run of trusted sealers the oldest is believed: it saw the message first.
    let message = sealed(&eml("question"), &[(&list, PASS), (&list, FAIL)]);
    assert_eq!(site.direct(STRANGER, &message).code, 250);
    site.sink.take();
    site.ends();
}

/// The message under the seals of these, the oldest first, each with what it says it saw. By hand
/// (RFC 8617 section 5.1): every field is written as `relaxed` would make it, so that it is signed
/// as it stands.
fn sealed(message: &[u8], sealers: &[(&Signer, &str)]) -> Vec<u8> {
    let text = std::str::from_utf8(message).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let from = head.lines().find_map(|line| line.strip_prefix("From: "));
    let from = relaxed("From", from.unwrap());
    let body_hash = base64(digest(&SHA256, body.as_bytes()).as_ref());
    let (mut chain, mut sets) = (String::new(), Vec::new());
    for (at, (sealer, saw)) in sealers.iter().enumerate() {
        let (instance, domain) = (at + 1, sealer.domain);
        let results = (
            "ARC-Authentication-Results",
            format!("i={instance}; {domain}; {saw}"),
        );
        let tags = format!(
            "i={instance}; a=ed25519-sha256; c=relaxed/relaxed; d={domain}; s=s; h=From; \
             bh={body_hash}; b="
        );
        let name = "ARC-Message-Signature";
        let own = relaxed(name, &tags);
        let tags = format!(
            "{tags}{}",
            sign(sealer, &format!("{from}{}", own.trim_end()))
        );
        let signature = (name, tags);
        let cv = if at == 0 { "none" } else { "pass" };
        chain += &relaxed(results.0, &results.1);
        chain += &relaxed(signature.0, &signature.1);
        let tags = format!("i={instance}; a=ed25519-sha256; cv={cv}; d={domain}; s=s; b=");
        let name = "ARC-Seal";
        let own = relaxed(name, &tags);
        let tags = format!(
            "{tags}{}",
            sign(sealer, &format!("{chain}{}", own.trim_end()))
        );
        let seal = (name, tags);
        chain += &relaxed(seal.0, &seal.1);
        sets.push([seal, signature, results]);
    }
    let fields = sets.iter().rev().flatten();
    let fields: String = fields
        .map(|(name, body)| format!("{name}: {body}\r\n"))
        .collect();
    [fields.as_bytes(), message].concat()
}

fn relaxed(name: &str, body: &str) -> String {
    format!("{}:{body}\r\n", name.to_lowercase())
}

fn sign(signer: &Signer, data: &str) -> String {
    base64(&signer.key.raw(data.as_bytes()))
}
