//! The public suites as data: for each of its cases, what the DNS says, what arrives from whom, and
//! what must be found. They are read here once, for those who judge every case by the function
//! that a session calls, and for those who send a sample of them to the real binary.
//!
//! Expectations are the registered words (RFC 8601 section 2.7), but for those of suites that have
//! words of their own. Where a suite is absent, its reader gives nothing and says so in one line
//! ([`conformance`]); where it cannot be read, the test fails.
//!
//! [`conformance`]: crate::conformance

pub mod chasquid;
pub mod dkimpy;
pub mod flanker;
pub mod mailauth;
pub mod openspf;
pub mod public_suffixes;
pub mod valimail;

use std::path::Path;

/// Lines end as they do on the wire.
pub fn crlf(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n")
        .replace('\n', "\r\n")
        .into_bytes()
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

fn json(file: &Path) -> serde_json::Value {
    serde_json::from_str(&read(file)).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}
