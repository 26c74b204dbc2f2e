//! Lines of more than 998 octets: unchanged by BDAT; for a next hop without CHUNKING encoded anew
//! if nothing is signed, else sent as they are or refused; never cut.

use gatepost_delivery::LongLines;
use gatepost_model::TlsMode;

use crate::support::{NextHopServer, Offer, Relay, route_all_to};

/// Sends a message to a next hop that offers this; returns what arrives, and the outcome.
async fn sent(
    extensions: &[&'static str],
    long_lines: LongLines,
    raw: &str,
) -> (Option<String>, String) {
    let server = NextHopServer::start(Offer::of(extensions), |_, _| None).await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.long_lines = long_lines;
    });
    relay.accept("", &["b@b.example"], raw.as_bytes()).await;
    let (_, _, reply) = relay.ended(1).await.remove(0);
    let by_chunk = server
        .commands()
        .iter()
        .any(|(_, line)| line.starts_with("BDAT"));
    let arrived = server.received().first().map(|got| {
        assert_eq!(by_chunk, extensions.contains(&"CHUNKING"));
        String::from_utf8(got.data.clone()).unwrap()
    });
    (arrived, reply.to_string())
}

#[tokio::test]
async fn a_next_hop_with_chunking_is_given_long_lines_as_they_are() {
    let raw = format!("Subject: s\r\n\r\n{}\r\n.\r\n", "x".repeat(60_000));
    for setting in [LongLines::Convert, LongLines::Refuse, LongLines::Pass] {
        let (arrived, reply) = sent(&["CHUNKING"], setting, &raw).await;
        assert_eq!(arrived.as_deref(), Some(raw.as_str()), "{reply}");
    }
}

#[tokio::test]
async fn unsigned_long_lines_are_encoded_anew_without_chunking() {
    let long = "word ".repeat(300);
    let plain = format!("Subject: s\r\n\r\n{long}\r\n");
    let field = format!(
        "References: {}\r\nSubject: s\r\n\r\nb\r\n",
        "<1@x.example> ".repeat(90)
    );
    let signed = format!("DKIM-Signature: v=1\r\n{plain}");
    let short = |text: &str| text.split("\r\n").all(|line| line.len() <= 998);
    for (setting, raw, arrives_short) in [
        (LongLines::Convert, &plain, true),
        (LongLines::Convert, &field, true),
        (LongLines::Convert, &signed, false),
        (LongLines::ConvertSigned, &signed, true),
        (LongLines::Pass, &plain, false),
    ] {
        let (arrived, reply) = sent(&["SIZE"], setting, raw).await;
        let arrived = arrived.unwrap_or_else(|| panic!("{setting:?}: {reply}"));
        assert_eq!(short(&arrived), arrives_short, "{setting:?}");
        if arrives_short {
            let unbroken = arrived.replace("=\r\n", "").replace("\r\n <", " <");
            assert!(
                unbroken.contains(long.trim_end()) || raw == &field,
                "{unbroken}"
            );
        } else {
            assert_eq!(&arrived, raw);
        }
    }
}

#[tokio::test]
async fn long_lines_are_returned_if_the_setting_says_so() {
    let raw = format!("Subject: s\r\n\r\n{}\r\n", "x".repeat(999));
    let (arrived, reply) = sent(&["SIZE"], LongLines::Refuse, &raw).await;
    assert_eq!(arrived, None);
    assert!(reply.starts_with("554 5.6.0 "), "{reply}");
    let raw = format!("Subject: s\r\n\r\n{}\r\n", "x".repeat(998));
    let (arrived, _) = sent(&["SIZE"], LongLines::Refuse, &raw).await;
    assert_eq!(arrived.as_deref(), Some(raw.as_str()));
}

#[tokio::test]
async fn long_lines_with_8_bit_octets_are_converted_for_both() {
    let raw = format!("Subject: s\r\n\r\nGrüße {}\r\n", "wort ".repeat(300));
    let server = NextHopServer::start(Offer::of(&["SIZE"]), |_, _| None).await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.convert_8bit = true;
    });
    relay.accept("", &["b@b.example"], raw.as_bytes()).await;
    relay.ended(1).await;
    let got = server.received();
    let data = str::from_utf8(&got[0].data).unwrap();
    assert!(
        data.is_ascii() && data.split("\r\n").all(|line| line.len() <= 78),
        "{data}"
    );
}
