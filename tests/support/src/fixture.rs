//! The fixtures in `tests/fixtures`, in the format of the policies' own: a message (`.eml`), and
//! beside it the decision of the relay's whole chain (`.toml`).

use std::path::PathBuf;

use gatepost_fixture::{Fixture, read_folder};
use gatepost_message::{Edit, Message};

use crate::Taken;

/// Keys that a real relay can obey. It has its own clock, memory and settings.
const KEYS: [&str; 8] = [
    "shows",
    "direction",
    "listener",
    "user",
    "mail-from",
    "rcpt-to",
    "exact",
    "expect",
];

/// A message for the whole chain, and the expected decision.
#[derive(Debug)]
pub struct ChainCase {
    /// Name of its files, without ending.
    pub name: String,
    /// File of the message.
    pub path: PathBuf,
    /// Session, envelope and expected decision.
    pub fixture: Fixture,
    /// Message, with CRLF.
    pub message: Message,
}

impl ChainCase {
    /// Returns the server that must get the message: `smarthost` if a plan is expected, else
    /// `application`; none if it is refused.
    pub fn hop(&self) -> Option<&'static str> {
        let expect = self.fixture.expect.as_ref()?;
        let smarthost = expect.plan.is_some();
        (expect.verdict.as_deref() == Some("pass")).then_some(match smarthost {
            true => "smarthost",
            false => "application",
        })
    }

    /// Returns the differences between the message that arrived and the one that was sent, with
    /// these edits: in envelope, body, and each header field that was sent or edited.
    pub fn arrival_surprises(&self, edits: &[Edit], taken: &Taken) -> Vec<String> {
        let mut surprises = Vec::new();
        let recipients = self.fixture.rcpt_to.iter().map(|to| to.as_str());
        if taken.from != self.fixture.reverse_path().as_str() || !recipients.eq(&taken.to) {
            let Taken { from, to, .. } = taken;
            surprises.push(format!("the envelope became {from} → {to:?}"));
        }
        let arrived = Message::from_bytes(taken.bytes().into());
        if body(&self.message) != body(&arrived) {
            surprises.push("the body has changed".into());
        }
        let mut below = arrived.fields();
        for sent in self.message.fields() {
            let mut fields = below.clone();
            if edits.iter().any(|edit| sent.is(edit.name().as_str())) {
                continue;
            }
            match fields.any(|field| field.raw() == sent.raw()) {
                true => below = fields,
                false => surprises.push(format!("{} is changed or moved, or gone", sent.name())),
            }
        }
        for name in edits.iter().map(|edit| edit.name().as_str()) {
            let (due, found) = (self.edited(name, edits), arrived.headers_named(name));
            if due != found {
                surprises.push(format!("{name} arrived as {found:?} instead of {due:?}"));
            }
        }
        surprises
    }

    /// Returns the values of a field after these edits.
    fn edited(&self, name: &str, edits: &[Edit]) -> Vec<String> {
        let mut values = self.message.headers_named(name);
        for edit in edits {
            if !edit.name().as_str().eq_ignore_ascii_case(name) {
                continue;
            }
            match edit {
                Edit::Add { body, .. } => values.insert(0, body.to_string()),
                Edit::Set { body, .. } => values = vec![body.to_string()],
                Edit::Remove { .. } => values.clear(),
            }
        }
        values
    }
}

fn body(message: &Message) -> Vec<u8> {
    let whole = message.to_bytes().unwrap_or_else(|e| panic!("{e}"));
    whole[message.head().len()..].to_vec()
}

/// Returns all fixtures in the order of their names: some depend on earlier ones.
pub fn chain_cases() -> Vec<ChainCase> {
    let folder = crate::workspace().join("tests/fixtures");
    let found = read_folder(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let cases = found.into_iter().map(|found| {
        let place = found.path.display();
        let (fixture, message) = found.read.unwrap_or_else(|e| panic!("{place}: {e}"));
        let keys: toml::Table = toml::from_str(&found.text).unwrap_or_default();
        if let Some(key) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
            panic!("{place}: a real relay cannot obey {key}");
        }
        ChainCase {
            name: found.name,
            path: found.path.with_extension("eml"),
            fixture,
            message,
        }
    });
    cases.collect()
}
