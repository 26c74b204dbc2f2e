//! The fixtures in `tests/fixtures`: a message (`.eml`) and beside it the expected result
//! (`.toml`).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use crate::Taken;

/// One message with its envelope and its expected result.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fixture {
    /// Name of the file, without ending.
    #[serde(skip)]
    pub name: String,
    /// Message, with CRLF.
    #[serde(skip)]
    pub path: PathBuf,
    /// Short description.
    pub shows: String,
    /// Listener that it is sent to.
    pub listener: String,
    /// Reverse-path; empty when null.
    pub mail_from: String,
    /// Recipients.
    pub rcpt_to: Vec<String>,
    /// User and password, if the client authenticates.
    pub user: Option<(String, String)>,
    /// Expected result.
    pub expect: Expect,
}

/// Expected result of a message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// `accept`, `reject`, `tempfail`, `quarantine` or `discard`.
    pub verdict: String,
    /// Code of the reply to the end of data.
    pub code: u16,
    /// Class, if a policy gives one.
    pub class: Option<String>,
    /// True if a machine may answer it.
    pub reply_allowed: Option<bool>,
    /// Part of some policy's reason.
    pub reason: Option<String>,
    /// Next hop that gets it: `application` or `smarthost`.
    pub hop: Option<String>,
    /// Headers that arrive there; an empty value stands for one that must not.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

impl Fixture {
    /// Returns the message, with CRLF line ends.
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

    /// Returns the differences between the message that arrived and the expected one: in
    /// recipients, expected headers, and the body.
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

/// Returns everything after the first empty line.
fn body(message: &[u8]) -> &[u8] {
    let empty = message.windows(4).position(|window| window == b"\r\n\r\n");
    empty.map_or(&[], |end| &message[end + 4..])
}

/// Returns all fixtures in the order of their names: some depend on earlier ones.
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
