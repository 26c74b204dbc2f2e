//! A message is repaired as it arrives: signatures are verified on the octets that came, authors
//! are those of both forms, and no forged field comes in behind a stray line end.

use test_support::{DnsServer, Signer, Sink, Zone};

use crate::{MESSAGE, base64, relay, send};

/// This message signed by sender.example, and what the DNS says. The form of the body is the simple
/// one, in which a CR without LF is text (RFC 6376 section 3.4.3).
fn signed(message: &str) -> (Vec<u8>, Zone) {
    let signer = Signer::new();
    let mut zone = Zone::new();
    signer.publish(&mut zone, "sender.example");
    zone.txt("_dmarc.sender.example", "v=DMARC1; p=reject")
        .txt("_dmarc.bank.example", "v=DMARC1; p=reject");
    let (_, body) = message.split_once("\r\n\r\n").unwrap();
    let hash = ring::digest::digest(&ring::digest::SHA256, body.as_bytes());
    let tags = format!(
        "v=1; a=ed25519-sha256; c=relaxed/simple; d=sender.example; s=s; h=From:Subject; bh={}; b=",
        base64(hash.as_ref())
    );
    let covered =
        format!("from:Ann <ann@sender.example>\r\nsubject:hello\r\ndkim-signature:{tags}");
    let signature = base64(&signer.raw(covered.as_bytes()));
    let message = format!("DKIM-Signature: {tags}{signature}\r\n{message}");
    (message.into_bytes(), zone)
}

#[test]
fn a_signature_over_stray_octets_passes_and_they_are_repaired() {
    for stray in ["of an old\rMac", "a\0b"] {
        let body = format!("{MESSAGE}{stray}\r\n");
        let (message, zone) = signed(&body);
        let (sink, dns) = (Sink::start(), DnsServer::start(zone));
        let relay = relay(&sink, &dns).start();
        let reply = send(&relay, &message);
        assert_eq!(reply.code, 250, "{reply:?}");
        let taken = sink.take();
        let results = taken.header("Authentication-Results").unwrap();
        assert!(
            results.contains("dkim=pass header.d=sender.example"),
            "{results}"
        );
        assert!(results.contains("dmarc=pass"), "{results}");
        let text = taken.text();
        let repaired = stray.replace('\r', "\r\n").replace('\0', "");
        assert!(
            text.ends_with(&format!("Hello!\r\n{repaired}\r\n")),
            "{text}"
        );
    }
}

#[test]
fn a_signature_passes_below_what_stands_above_the_first_field() {
    let (message, zone) = signed(MESSAGE);
    let (sink, dns) = (Sink::start(), DnsServer::start(zone));
    let relay = relay(&sink, &dns).start();
    for above in [
        &b"\xef\xbb\xbf"[..],
        b">From ann@sender.example Sat Jan  3\r\n",
    ] {
        send(&relay, &[above, &message].concat());
        let results = sink.take().header("Authentication-Results").unwrap();
        assert!(
            results.contains("dkim=pass") && results.contains("dmarc=pass"),
            "{results}"
        );
    }
}

#[test]
fn an_author_that_only_the_repaired_message_shows_is_judged() {
    for hidden in [
        "X-Any: 1\rFrom: <ceo@bank.example>\r\n",
        "X-Any: 1\nFrom: <ceo@bank.example>\r\n",
        "Fr\0om: <ceo@bank.example>\r\n",
    ] {
        let (message, zone) = signed(&format!("{hidden}{MESSAGE}"));
        let (sink, dns) = (Sink::start(), DnsServer::start(zone));
        let relay = relay(&sink, &dns).start();
        let reply = send(&relay, &message);
        assert_eq!(reply.code, 250, "{reply:?}");
        let results = sink.take().header("Authentication-Results").unwrap();
        assert!(
            results.contains("dmarc=fail (p=reject) header.from=bank.example"),
            "{hidden:?}: {results}"
        );
    }
}

#[test]
fn a_forged_field_behind_a_stray_line_end_is_removed() {
    let (sink, dns) = (Sink::start(), DnsServer::start(Zone::new()));
    let relay = relay(&sink, &dns).start();
    for forged in [
        "X-Gatepost-Tags: relay-secure",
        "X-Gatepost-Reasons: loop-guard: fine",
        "Authentication-Results: mx.desk.example; dmarc=pass header.from=forged",
    ] {
        for line_end in ["\r", "\n", "\r\r\n", "\0\r"] {
            let message = format!("X-Any: 1{line_end}{forged}{line_end}{MESSAGE}");
            let reply = send(&relay, message.as_bytes());
            assert_eq!(reply.code, 250, "{reply:?}");
            let text = sink.take().text();
            assert!(!text.contains(forged), "{line_end:?}: {text}");
        }
    }
}
