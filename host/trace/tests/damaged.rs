//! A damaged trace is moved away and a new one begun, with a loud report: mail does not wait for
//! its record.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::{fs, path::Path};

use gatepost_files::{Level, kept};
use gatepost_trace::{Retention, Trace, inspect};

fn open(path: &Path) -> Trace {
    Trace::open(path, Retention::FOR_EVER).unwrap()
}

fn has_errors(path: &Path) -> bool {
    let findings = inspect(path, false);
    findings.iter().any(|finding| finding.level == Level::Error)
}

#[test]
fn a_damaged_trace_is_moved_away_and_a_new_one_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.db");
    assert!(!has_errors(&path), "none yet");
    assert!(!open(&path).damaged());
    let good = fs::read(&path).unwrap();
    let mut garbled = good.clone();
    garbled[16..1000].fill(b'x');
    let mut behind_the_first_page = good.clone();
    behind_the_first_page[4096..].fill(b'x');
    let damages = [Vec::new(), vec![b'x'; 5000], garbled, behind_the_first_page];
    for (number, damaged) in damages.into_iter().enumerate() {
        fs::write(&path, &damaged).unwrap();
        assert!(has_errors(&path), "damage {number}");
        assert!(open(&path).damaged(), "damage {number}");
        let kept = kept(folder.path()).unwrap();
        assert_eq!(kept.len(), number + 1);
        assert!(kept.iter().any(|kept| fs::read(kept).unwrap() == damaged));
        assert!(!open(&path).damaged(), "once");
        assert!(!has_errors(&path));
    }
}
