//! The page on verification.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use gatepost_verification::FailureReason;

#[test]
fn the_page_has_every_reason_with_its_title() {
    let page = include_str!("../../../docs/verification.md");
    for reason in FailureReason::ALL {
        let row = format!("| `{}` | {} |", reason.code(), reason.title());
        assert!(page.contains(&row), "{row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    assert_eq!(rows.count(), FailureReason::ALL.len());
}
