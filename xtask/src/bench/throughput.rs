//! Messages a second, CPU time and memory: Gatepost with its chain beside Postfix without any.

use std::path::Path;

use anyhow::Result;

use super::Effort;
use super::contender::Contender;
use super::load::{Content, Load};
use super::report::Report;
use super::side_by_side::{COLUMNS, compare};

/// A kind of load: sessions at a time, octets of a message, and the divisor of the number of
/// messages, since some cases are slow.
struct Case {
    name: &'static str,
    sessions: usize,
    size: usize,
    share: u64,
}

const CASES: [Case; 5] = [
    Case {
        name: "10 KiB, 1 session",
        sessions: 1,
        size: 10 << 10,
        share: 4,
    },
    Case {
        name: "10 KiB, 20 sessions",
        sessions: 20,
        size: 10 << 10,
        share: 1,
    },
    Case {
        name: "10 KiB, 100 sessions",
        sessions: 100,
        size: 10 << 10,
        share: 1,
    },
    Case {
        name: "1 KiB, 20 sessions",
        sessions: 20,
        size: 1 << 10,
        share: 1,
    },
    Case {
        name: "1 MiB, 20 sessions",
        sessions: 20,
        size: 1 << 20,
        share: 20,
    },
];

/// Measures every case.
pub fn run(binary: &Path, other: Option<&Path>, effort: Effort, report: &mut Report) -> Result<()> {
    let mut rows = Vec::new();
    for case in &CASES {
        let messages = (effort.messages / case.share).max(20);
        let load = Load {
            sessions: case.sessions,
            messages,
            content: Content::Octets(case.size),
        };
        let contenders = Contender::pair(binary, other)?;
        rows.extend(compare(&contenders, case.name, load, effort.runs)?);
    }
    let beside = other.map_or("Postfix", |_| "another build");
    report.table(&format!("Beside {beside}"), &COLUMNS, &rows);
    Ok(())
}
