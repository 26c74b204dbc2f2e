//! Whatever comes in, reading it ends, and what is kept of it is bounded.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use gatepost_reports::{MOST_RECIPIENTS, read};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

/// Seed of the random messages.
const SEED: u64 = 20_261_129;

/// Returns the messages of the corpus.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/reports");
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|of| of == "eml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn assert_is_bounded(raw: &[u8]) {
    for from_nobody in [false, true] {
        let Some(report) = read(raw, from_nobody) else {
            continue;
        };
        assert!(report.recipients.len() <= MOST_RECIPIENTS);
        for recipient in &report.recipients {
            let diagnostic = recipient.diagnostic.as_deref().unwrap_or_default();
            assert!(diagnostic.len() <= 1024, "{}", diagnostic.len());
            assert!(!diagnostic.contains(char::is_control), "{diagnostic:?}");
        }
        let texts = [
            report.reporter,
            report.feedback_type,
            report.returned.message_id(),
        ];
        assert!(texts.iter().flatten().all(|text| text.len() <= 256));
        let returned = report.returned.message.map_or(0, |of| of.size());
        assert!(returned <= 64 << 10, "{returned}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn octets_at_random_are_no_trouble(raw in prop::collection::vec(any::<u8>(), 0..2000)) {
        assert_is_bounded(&raw);
    }

    #[test]
    fn reports_with_a_hole_a_cut_or_a_repetition_are_no_trouble(
        which in any::<Index>(),
        from in any::<Index>(),
        length in 0_usize..400,
        put in prop::collection::vec(any::<u8>(), 0..40),
        times in 0_usize..300,
    ) {
        let corpus = corpus();
        let mut raw = corpus[which.index(corpus.len())].clone();
        let from = from.index(raw.len());
        let until = (from + length).min(raw.len());
        let piece: Vec<u8> = raw[from..until].repeat(times);
        raw.splice(from..until, piece.into_iter().chain(put));
        assert_is_bounded(&raw);
    }
}

#[test]
fn a_thousand_recipients_are_cut() {
    let mut raw =
        "From: MAILER-DAEMON@there.example\nSubject: failure notice\n\nIt failed:\n".to_owned();
    for number in 0..1000 {
        raw.push_str(&format!(
            "<r{number}@there.example>: 550 5.1.1 unknown {}\n\n",
            "x".repeat(3000)
        ));
    }
    let report = read(raw.as_bytes(), true).unwrap();
    assert!(report.recipients.len() > 10);
    assert_is_bounded(raw.as_bytes());
}

#[test]
fn wrappers_without_end_are_given_up() {
    let mut raw = "From: a@there.example\n\nhello\n".to_owned();
    for depth in 0..60 {
        raw = format!(
            "X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=b{depth}\n\n\
             --b{depth}\nContent-Type: message/rfc822\n\n{raw}\n--b{depth}--\n"
        );
    }
    assert!(read(raw.as_bytes(), true).is_none());
}
