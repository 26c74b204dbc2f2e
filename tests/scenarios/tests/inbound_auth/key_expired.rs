//! An expired signature proves nothing, though it verifies.

use ring::digest::{SHA256, digest};

use crate::{STRANGER, Signer, Site, author, base64, codes, eml};

#[test]
fn an_expired_key_does_not_pass() {
    let (zone, signer) = author("reject");
    let site = Site::start(zone, "{}");
    let message = eml("question");
    let until = |end: u64| [&signature(&signer, &message, end)[..], &message].concat();
    assert_eq!(site.direct(STRANGER, &until(4_000_000_000)).code, 250);
    site.sink.take();
    let reply = site.direct(STRANGER, &until(1_700_000_000));
    assert_eq!(codes(&reply), (550, "5.7.1"));
    let trace = site.relay.trace_until(&reply.transaction(), "replied");
    insta::assert_snapshot!(trace, @"
    begun on mx from 203.0.113.77:0, plaintext
    sender <ann@author.example>: 250 2.1.0 Ok, transaction ID1
    judged inbound-auth DIGEST recipient: pass
    recipient <help@acme.desk.test>: 250 2.1.5 Recipient OK
    authenticated spf=fail (author.example) dkim=fail (author.example) dmarc=fail
        (author.example) arc=none iprev=permerror
    judged inbound-auth DIGEST message: reject (DMARC fails, and author.example asks to
        reject)
    replied 550 5.7.1 DMARC fails, and the author's domain asks to reject (ID1) (443 B)
    ");
    site.ends();
}

/// A signature made in 2023 that holds until then, by hand: `simple` leaves every octet as it is
/// (RFC 6376 section 3.4).
fn signature(signer: &Signer, message: &[u8], end: u64) -> Vec<u8> {
    let text = std::str::from_utf8(message).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let from = head.lines().find(|line| line.starts_with("From:")).unwrap();
    let body_hash = base64(digest(&SHA256, body.as_bytes()).as_ref());
    let unsigned = format!(
        "DKIM-Signature: v=1; a=ed25519-sha256; c=simple/simple; d={}; s=s; h=From; \
         t=1690000000; x={end}; bh={body_hash}; b=",
        signer.domain
    );
    let signature = base64(&signer.key.raw(format!("{from}\r\n{unsigned}").as_bytes()));
    format!("{unsigned}{signature}\r\n").into_bytes()
}
