//! What two configurations say differently, and what of it a running relay cannot follow.
//!
//! Documents are compared as they were written, not as they were understood, so that no key can be
//! forgotten here: whatever a later version reads is shown and taken over, unless it is [fixed].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{Finding, Step};
use super::{Config, Document};

/// One thing that is not what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where: `account.acme.domains`. Tables of a list go by their `name` or `id`.
    pub key: String,
    /// What was there; `None` for nothing, which is the default.
    pub old: Option<Value>,
    /// What is there now.
    pub new: Option<Value>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key,
            old,
            new,
            note,
        } = self;
        match (old, new) {
            (None, Some(new)) => write!(f, "+ {key}: {new}")?,
            (Some(old), None) => write!(f, "- {key}: {old}")?,
            (old, new) => {
                let [old, new] = [old, new].map(|value| value.clone().unwrap_or_default());
                write!(f, "~ {key}: {old} -> {new}")?;
            }
        }
        match note {
            Some(note) => write!(f, " ({note})"),
            None => Ok(()),
        }
    }
}

/// What stands in the place of a secret.
const HIDDEN: &str = "not shown";

/// A key whose name has one of these words in it holds a secret, and so does all below it.
const SECRETS: [&str; 9] = [
    "password",
    "passphrase",
    "secret",
    "token",
    "credential",
    "authorization",
    "api-key",
    "apikey",
    "headers",
];

/// Every key that differs, in alphabetical order, and every file whose contents do.
pub(super) fn between(old: &Document, new: &Document) -> Vec<Change> {
    let (before, after) = (Leaves::of(&old.keys), Leaves::of(&new.keys));
    let keys: BTreeSet<_> = before.0.keys().chain(after.0.keys()).collect();
    let mut changes: Vec<_> = keys
        .into_iter()
        .filter_map(|key| change(key, before.0.get(key), after.0.get(key)))
        .collect();
    for (file, digest) in &new.files {
        if let Some(former) = old.files.get(file)
            && former != digest
        {
            let short = |digest: &Option<String>| {
                let digest = digest.as_ref()?;
                Some(Value::from(digest.get(..12).unwrap_or(digest)))
            };
            changes.push(Change {
                key: format!("file {}", file.display()),
                old: short(former),
                new: short(digest),
                note: None,
            });
        }
    }
    changes
}

fn change(key: &str, old: Option<&Leaf>, new: Option<&Leaf>) -> Option<Change> {
    let value = |leaf: Option<&Leaf>| leaf.map(|leaf| leaf.value.clone());
    let (mut before, mut after) = (value(old), value(new));
    if let (Some(Value::Array(old)), Some(Value::Array(new))) = (&mut before, &mut after)
        && key.ends_with(ORDER)
    {
        // What comes or goes is shown by itself.
        let (all_old, all_new) = (old.clone(), new.clone());
        old.retain(|name| all_new.contains(name));
        new.retain(|name| all_old.contains(name));
    } else if key.ends_with(ORDER) {
        return None;
    }
    if before == after {
        return None;
    }
    let secret = [old, new].into_iter().flatten().any(|leaf| leaf.secret);
    let shown = |value: Option<Value>| value.map(|value| show(value, secret));
    let (shown_before, shown_after) = (shown(before), shown(after));
    let note = (shown_before == shown_after).then(|| "a secret has changed".to_owned());
    Some(Change {
        key: key.to_owned(),
        old: shown_before,
        new: shown_after,
        note,
    })
}

/// A value without the secrets in it.
fn show(value: Value, secret: bool) -> Value {
    match value {
        _ if secret => HIDDEN.into(),
        Value::Array(items) => (items.into_iter().map(|item| show(item, false))).collect(),
        Value::Object(table) => {
            let table = table.into_iter();
            table
                .map(|(key, value)| {
                    let secret = is_secret(&key);
                    (key, show(value, secret))
                })
                .collect()
        }
        // https://user:password@host
        Value::String(text) if has_user_information(&text) => HIDDEN.into(),
        plain => plain,
    }
}

fn has_user_information(text: &str) -> bool {
    let authority = text.split_once("://").map(|(_, rest)| rest);
    authority.is_some_and(|rest| rest.split('/').next().unwrap_or(rest).contains('@'))
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase().replace('_', "-");
    SECRETS.iter().any(|secret| key.contains(secret))
}

/// The end of the key under which the order of a list of tables stands.
const ORDER: &str = " (order)";

struct Leaf {
    value: Value,
    secret: bool,
}

/// A document by keys: everything that is not a table, nor a list of tables with names.
#[derive(Default)]
struct Leaves(BTreeMap<String, Leaf>);

impl Leaves {
    fn of(document: &Value) -> Self {
        let mut leaves = Self::default();
        leaves.gather("", document, false);
        leaves
    }

    fn gather(&mut self, key: &str, value: &Value, secret: bool) {
        match value {
            Value::Object(table) if !table.is_empty() || key.is_empty() => {
                for (name, value) in table {
                    self.gather(&below(key, name), value, secret || is_secret(name));
                }
            }
            Value::Array(items) => match names(items) {
                Some(names) => {
                    for (name, item) in names.iter().zip(items) {
                        self.gather(&below(key, name), item, secret);
                    }
                    let order = names.into_iter().map(Value::from).collect();
                    self.put(format!("{key}{ORDER}"), order, secret);
                }
                None => self.put(key.to_owned(), value.clone(), secret),
            },
            _ => self.put(key.to_owned(), value.clone(), secret),
        }
    }

    fn put(&mut self, key: String, value: Value, secret: bool) {
        self.0.insert(key, Leaf { value, secret });
    }
}

/// A key below another, quoted where TOML would want it.
fn below(key: &str, name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name = match !name.is_empty() && name.chars().all(bare) {
        true => name.to_owned(),
        false => format!("{name:?}"),
    };
    match key {
        "" => name,
        key => format!("{key}.{name}"),
    }
}

/// The names of tables that all have one of their own.
fn names(items: &[Value]) -> Option<Vec<&str>> {
    fn name(item: &Value) -> Option<&str> {
        ["name", "id"]
            .iter()
            .find_map(|key| item.get(key)?.as_str())
    }
    let names: Vec<_> = items.iter().map(name).collect::<Option<_>>()?;
    let distinct: BTreeSet<_> = names.iter().collect();
    (!names.is_empty() && distinct.len() == names.len()).then_some(names)
}

/// What only a restart can change. Everything else of a configuration is put in use by a reload.
pub(super) fn fixed(old: &Config, new: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (differs, at, why) in [
        (
            old.relay.store != new.relay.store,
            &["relay", "store"][..],
            "queue, trace and control socket are open in the store",
        ),
        (
            old.log.format != new.log.format,
            &["log", "format"],
            "whoever reads the log expects lines of one form",
        ),
        (
            new.otlp.is_some() && old.relay.hostname != new.relay.hostname,
            &["relay", "hostname"],
            "the collector in [otlp] knows the relay by this name",
        ),
        (
            old.directory.key_ring != new.directory.key_ring,
            &["directory", "key-ring"],
            "a part of the directory is encrypted with the keys in it",
        ),
        (
            old.otlp != new.otlp,
            &["otlp"],
            "a trace that has begun goes to one collector",
        ),
    ] {
        if differs {
            findings.push(Finding {
                at: at.iter().copied().map(Step::from).collect(),
                message: format!("{} cannot change while the relay runs", at.join(".")),
                help: format!("{why}; restart the relay, or put back what was there"),
            });
        }
    }
    findings
}
