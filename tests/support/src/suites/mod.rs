//! The public suites as data: for each case the DNS, the message with its envelope, and the
//! expected result. They are read here once, for the tests that judge every case by the function
//! that a session calls, and for those that send a sample of them to the real binary.
//!
//! Expected results are the registered words (RFC 8601 section 2.7), unless the suite has words of
//! its own. If a suite is absent, its reader returns nothing and reports that in one line
//! ([`conformance`]); if it cannot be read, the test fails.
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

/// Converts line ends to those on the wire.
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
