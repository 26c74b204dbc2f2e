//! Messages that are made to cost, and messages of any octets.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::Bytes;
use gatepost_content::MessageContent;
use gatepost_message::Message;
use proptest::prelude::*;
use rustix::time::{ClockId, clock_gettime};

/// Time of the processor that this thread has taken: other processes do not count.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}

fn content(octets: &Bytes) -> (Message, MessageContent) {
    let message = Message::from_bytes(octets.clone());
    let content = MessageContent::of(&message, octets);
    (message, content)
}

/// Repeats a piece up to some octets, below a header section.
fn filled(piece: &str, size: usize) -> Bytes {
    let head = "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    format!("{head}{}", piece.repeat(size / piece.len())).into()
}

#[test]
fn a_message_beyond_the_bounds_is_its_own_attachment() {
    for piece in [
        "--b\r\n\r\nx\r\n",
        "--b\r\nContent-Type: message/rfc822\r\n\r\n",
        "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
        "a:\n",
    ] {
        let octets = filled(piece, 4 << 20);
        let began = processor();
        let (message, content) = content(&octets);
        assert!(processor() - began < Duration::from_secs(10), "{piece:?}");
        assert!(!content.is_complete && content.text.is_none(), "{piece:?}");
        assert_eq!(content.from[0].address, "a@b.example");
        let [whole] = &content.attachments[..] else {
            panic!("{piece:?}");
        };
        assert_eq!(
            (whole.name.as_str(), whole.size),
            ("message.eml", octets.len() as u64)
        );
        let pieces: Vec<_> = whole.pieces(&message).collect::<Result<_, _>>().unwrap();
        assert!(pieces.concat() == octets);
    }
}

/// Just within the bounds, the parser is called.
#[test]
fn what_is_within_the_bounds_is_taken_apart_in_time_and_stack() {
    for (piece, count) in [
        ("--b\r\nContent-Type: message/rfc822\r\n\r\n", 299),
        ("Content-Type: message/rfc822\r\n\r\n", 250),
        (
            "--b\r\nContent-Type: multipart/mixed; boundary=none\r\n\r\n",
            299,
        ),
        ("--b\r\nContent-Transfer-Encoding: base64\r\n\r\n*\r\n", 450),
    ] {
        let filling = "x".repeat(70) + "\r\n";
        let octets = filled(piece, piece.len() * count);
        let octets: Bytes = [&octets[..], filling.repeat(200_000).as_bytes()]
            .concat()
            .into();
        let began = processor();
        let _ = content(&octets);
        let time = processor() - began;
        assert!(time < Duration::from_secs(20), "{piece:?}: {time:?}");
    }
}

#[test]
fn a_long_text_is_cut_and_says_so() {
    let octets: Bytes = format!("Subject: long\r\n\r\n{}", "é \r\n".repeat(400_000)).into();
    let (_, content) = content(&octets);
    // A character of two octets is not cut in half.
    assert_eq!(content.text.unwrap().len(), (1 << 20) - 1);
    assert!(!content.is_complete);
}

fn message() -> impl Strategy<Value = Bytes> {
    let known = prop::sample::select(vec![
        "\r\n",
        "\n",
        "--b\r\n",
        "--b--\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n",
        "Content-Type: message/rfc822\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
        "Content-Type: text/html\r\n",
        "YWJj",
        "=41=",
        "Content-Disposition: attachment; filename=\"../a\0.txt\"\r\n",
        "From: a@b.example\r\n",
        "Content-Type: application/x\r\n",
        "Content-ID: <1>\r\n",
        "text\r\n",
        "=?utf-8?b?w6k=?=",
    ]);
    let piece = prop_oneof![
        6 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into())
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(11),
        failure_persistence: None,
        ..ProptestConfig::with_cases(3_000)
    })]

    /// The pieces that are read later come to the size that was described.
    #[test]
    fn any_message_has_a_content_whose_attachments_can_be_read(octets in message()) {
        let (message, content) = content(&octets);
        for one in &content.attachments {
            let pieces: Vec<_> = one.pieces(&message).collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(one.size, pieces.concat().len() as u64);
            prop_assert!(!one.name.is_empty() && !one.name.contains(['/', '\\', '\0', '\n']));
        }
    }
}
