//! The fixtures in `tests/fixtures`: a message (`.eml`) and beside it what is to become of it
//! (`.toml`).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use crate::Taken;

/// One message with its envelope and its expected fate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fixture {
    /// Name of the file, without ending.
    #[serde(skip)]
    pub name: String,
    /// The message, with CRLF.
    #[serde(skip)]
    pub path: PathBuf,
    /// What it shows, in a few words.
    pub shows: String,
    /// The listener that it comes to.
    pub listener: String,
    /// The reverse-path; empty when null.
    pub mail_from: String,
    /// The recipients.
    pub rcpt_to: Vec<String>,
    /// User and password, where it authenticates.
    pub user: Option<(String, String)>,
    /// What is to become of it.
    pub expect: Expect,
}

/// What is to become of a message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// `accept`, `reject`, `tempfail`, `quarantine` or `discard`.
    pub verdict: String,
    /// Code of the reply to the end of data.
    pub code: u16,
    /// Its class, where a policy says one.
    pub class: Option<String>,
    /// Whether a machine may answer it.
    pub reply_allowed: Option<bool>,
    /// A part of some policy's reason.
    pub reason: Option<String>,
    /// The next hop that gets it: `application` or `smarthost`.
    pub hop: Option<String>,
    /// Headers that arrive there; an empty value stands for one that must not.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

impl Fixture {
    /// The message, with CRLF line ends.
    pub fn message(&self) -> Vec<u8> {
        let text = fs::read(&self.path).unwrap_or_else(|e| panic!("{}: {e}", self.path.display()));
        let mut message = Vec::with_capacity(text.len() + 64);
        for byte in text {
            if byte == b'\n' && message.last() != Some(&b'\r') {
                message.push(b'\r');
            }
            message.push(byte);
        }
        message
    }

    /// What is not as it should be about the message as it arrived: recipients, the expected
    /// headers, and every octet below them.
    pub fn arrival_surprises(&self, taken: &Taken) -> Vec<String> {
        let mut surprises = Vec::new();
        if taken.from != self.mail_from || taken.to != self.rcpt_to {
            surprises.push(format!(
                "the envelope became {} → {:?}",
                taken.from, taken.to
            ));
        }
        for (name, value) in &self.expect.headers {
            let arrived = taken.header(name).unwrap_or_default();
            if arrived != *value {
                surprises.push(format!(
                    "{name} arrived as {arrived:?} instead of {value:?}"
                ));
            }
        }
        let (sent, arrived) = (self.message(), taken.bytes());
        if body(&sent) != body(&arrived) {
            surprises.push("the body has changed".into());
        }
        surprises
    }
}

/// Everything behind the first empty line.
fn body(message: &[u8]) -> &[u8] {
    let empty = message.windows(4).position(|window| window == b"\r\n\r\n");
    empty.map_or(&[], |end| &message[end + 4..])
}

/// All fixtures, in the order of their names: some are about a message that came before.
pub fn fixtures() -> Vec<Fixture> {
    let folder = crate::workspace().join("tests/fixtures");
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut fixtures: Vec<Fixture> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .map(|path| {
            let beside = path.with_extension("toml");
            let text =
                fs::read_to_string(&beside).unwrap_or_else(|e| panic!("{}: {e}", beside.display()));
            let mut fixture: Fixture =
                toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", beside.display()));
            fixture.name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            fixture.path = path;
            fixture
        })
        .collect();
    fixtures.sort_by(|a, b| a.name.cmp(&b.name));
    fixtures
}
