//! dkimpy's test data. Its suite is a program that signs and verifies with itself; the messages,
//! keys and expectations here are those in its files.

use std::path::PathBuf;

use super::{crlf, read};
use crate::{Zone, conformance};

/// Name of the key record of most of its messages.
pub const TEST: &str = "test._domainkey.football.example.com";

/// The key of RFC 8032 section 7.1, test 1.
pub const RFC8032_KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// Key of `test2.message`, from dkimpy's test program.
const GMAIL_KEY: &str = concat!(
    "k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1Kd87/UeJjenpabgbFwh",
    "+eBCsSTrqmwIYYvywlbhbqoo2DymndFkbjOVIPIldNs/m40KF+yzMn1skyoxcTUGCQ",
    "s8g3FgD2Ap3ZB5DekAo5wMmk4wimDO+U8QzI3SD07y2+07wlNWwIt8svnxgdxGkVbb",
    "hzY8i+RQ9DpSVpPbF7ykQxtKXkv/ahW3KjViiAH+ghvvIhkx4xYSIc9oSwVmAl5Oct",
    "MEeWUwg8Istjqz8BZeTWbf41fbNhte7Y+YqZOwq1Sd0DbvYAD9NOZK9vlfuac0598H",
    "Y+vtSBczUiKERHv1yRbcaQtZFh5wtiRrN04BLUTD21MycBX5jYchHjPY/wIDAQAB"
);

/// Messages that were signed there, each with the number of signatures that pass.
pub const SIGNED: [(&str, usize); 4] = [
    ("rfc6376.signed.msg", 2),
    ("rfc6376.signed.rsa.msg", 1),
    ("test2.message", 1),
    ("ed25519test2.msg", 1),
];

/// Keys with which `rfc6376.signed.rsa.msg` does not verify, each with the reason.
pub const BAD_KEYS: [(&str, &str); 4] = [
    (
        "test_bad.txt",
        "the signature does not fit the signed fields and the key",
    ),
    ("badversion.txt", "the key is not of v=DKIM1"),
    ("badk.txt", "the key is for another algorithm"),
    (
        "test_tlsrpt.txt",
        "the key is for another service than mail (s=)",
    ),
];

/// Messages without a signature.
pub const UNSIGNED: [&str; 4] = [
    "rfc6376.msg",
    "test.message",
    "test_extra.message",
    "test_nofrom.message",
];

/// The folder of its files.
#[derive(Debug)]
pub struct Data(PathBuf);

impl Data {
    /// Finds the folder.
    pub fn find() -> Option<Self> {
        Some(Self(conformance("dkim-dkimpy")?.join("data")))
    }

    /// Reads a file as it is.
    pub fn octets(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.0.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    }

    /// Reads a file of text.
    pub fn text(&self, file: &str) -> String {
        read(&self.0.join(file))
    }

    /// Reads a message as it is sent.
    pub fn message(&self, file: &str) -> Vec<u8> {
        crlf(&self.text(file))
    }

    /// Reads a record.
    pub fn record(&self, file: &str) -> String {
        self.text(file).trim().to_owned()
    }

    /// Returns the DNS with the keys of [`SIGNED`], each as `record` makes it of the suite's.
    pub fn zone(&self, record: impl Fn(&str) -> String) -> Zone {
        let mut zone = Zone::new();
        zone.txt("20120113._domainkey.gmail.com", record(GMAIL_KEY))
            .txt(TEST, record(&self.record("test.txt")))
            .txt(
                "brisbane._domainkey.football.example.com",
                record(RFC8032_KEY),
            )
            .txt(
                "sed._domainkey.test.ex",
                record(&self.record("eximtest.dns")),
            );
        zone
    }
}
