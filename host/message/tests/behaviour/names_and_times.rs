//! Writing and reading of transaction ids and times.

use std::time::Duration;

use gatepost_message::{Millis, TransactionId};
use proptest::prelude::*;

#[test]
fn ids_are_unique_ordered_and_hold_their_time() {
    let before = Millis::now();
    let ids: Vec<_> = (0..1000).map(|_| TransactionId::new()).collect();
    let after = Millis::now();
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert!((before.0..=after.0).contains(&ids[0].unix_millis()));
}

#[test]
fn an_id_reads_back_and_other_text_is_refused() {
    let text = "0197c1f2-8f6e-7b3a-9d51-3f0c6a2e4b17";
    let id: TransactionId = text.parse().unwrap();
    assert_eq!(id.to_string(), text);
    assert_eq!(id.unix_millis(), 0x0197_c1f2_8f6e);
    assert_eq!(serde_json::to_string(&id).unwrap(), format!("{text:?}"));
    assert_eq!(
        serde_json::from_str::<TransactionId>(&format!("{text:?}")).unwrap(),
        id
    );
    for other in [
        "",
        "0197c1f2",
        "0197c1f2-8f6e-4b3a-9d51-3f0c6a2e4b17",
        "0197c1f2-8f6e-7b3a-1d51-3f0c6a2e4b17",
    ] {
        assert!(other.parse::<TransactionId>().is_err(), "{other}");
    }
}

#[test]
fn times_are_written_by_the_rfcs() {
    for (millis, rfc3339, rfc5322) in [
        (
            0,
            "1970-01-01T00:00:00.000Z",
            "Thu, 1 Jan 1970 00:00:00 +0000",
        ),
        (
            1_709_210_096_007,
            "2024-02-29T12:34:56.007Z",
            "Thu, 29 Feb 2024 12:34:56 +0000",
        ),
    ] {
        assert_eq!(Millis(millis).to_string(), rfc3339);
        assert_eq!(Millis(millis).rfc5322(), rfc5322);
        assert_eq!(rfc3339.parse(), Ok(Millis(millis)));
    }
    assert_eq!("1970-01-01T01:00:00.0019+01:00".parse(), Ok(Millis(1)));
    assert!("1969-12-31T23:59:59Z".parse::<Millis>().is_err());
    assert!("2024-02-30T00:00:00Z".parse::<Millis>().is_err());
    assert!("yesterday".parse::<Millis>().is_err());
}

#[test]
fn sums_saturate() {
    let second = Duration::from_secs(1);
    assert_eq!(Millis(5) + second, Millis(1005));
    assert_eq!(Millis(1005) - second, Millis(5));
    assert_eq!(Millis(5) - second, Millis(0));
    assert_eq!(Millis(u64::MAX) + second, Millis(u64::MAX));
    assert_eq!(Millis(1005).since(Millis(5)), second);
    assert_eq!(Millis(5).since(Millis(1005)), Duration::ZERO);
}

proptest! {
    #[test]
    fn any_time_can_be_written(millis: u64) {
        prop_assert!(Millis(millis).to_string().starts_with("9999-") || millis < 253_402_300_800_000);
        prop_assert!(Millis(millis).rfc5322().ends_with(" +0000"));
    }

    #[test]
    fn a_time_reads_back(millis in 0..253_000_000_000_000_u64) {
        prop_assert_eq!(Millis(millis).to_string().parse(), Ok(Millis(millis)));
        prop_assert_eq!(serde_json::to_string(&Millis(millis)).unwrap(), millis.to_string());
    }
}
