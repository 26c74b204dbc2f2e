//! Differences between two configurations, and which of them need a restart.
//!
//! Documents are compared as they were written, not as they were parsed, so that no key is
//! forgotten: every key of a later version is shown and activated, unless it is one of the
//! [`restart_only`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{Finding, Step};
use super::{Config, Document};

/// Difference of one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// Key, such as `account.acme.domains`. Tables of a list are named by their `name` or `id`.
    pub key: String,
    /// Former value; `None` if there was none, which means the default.
    pub old: Option<Value>,
    /// New value; `None` if there is none.
    pub new: Option<Value>,
    /// Remark for the operator.
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

/// Text shown in place of a secret.
const REDACTED: &str = "not shown";

/// Words that mark a key as secret, with all keys below it.
const SECRET_WORDS: [&str; 12] = [
    "password",
    "passphrase",
    "secret",
    "token",
    "credential",
    "authorization",
    "api-key",
    "apikey",
    "headers",
    "private-key",
    "client-key",
    "account-key",
];

/// Returns the keys that differ, in alphabetical order, and the files whose contents differ.
pub(super) fn differences(old: &Document, new: &Document) -> Vec<Change> {
    let (before, after) = (Leaves::of(&old.keys), Leaves::of(&new.keys));
    let keys: BTreeSet<_> = before.0.keys().chain(after.0.keys()).collect();
    let mut changes: Vec<_> = keys
        .into_iter()
        .filter_map(|key| compare_key(key, before.0.get(key), after.0.get(key)))
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

fn compare_key(key: &str, old: Option<&Leaf>, new: Option<&Leaf>) -> Option<Change> {
    let value = |leaf: Option<&Leaf>| leaf.map(|leaf| leaf.value.clone());
    let (mut before, mut after) = (value(old), value(new));
    if let (Some(Value::Array(old)), Some(Value::Array(new))) = (&mut before, &mut after)
        && key.ends_with(ORDER_SUFFIX)
    {
        // Added and removed names are shown by their own keys.
        let (all_old, all_new) = (old.clone(), new.clone());
        old.retain(|name| all_new.contains(name));
        new.retain(|name| all_old.contains(name));
    } else if key.ends_with(ORDER_SUFFIX) {
        return None;
    }
    if before == after {
        return None;
    }
    let secret = [old, new].into_iter().flatten().any(|leaf| leaf.secret);
    let redacted = |value: Option<Value>| value.map(|value| redact(value, secret));
    let (redacted_before, redacted_after) = (redacted(before), redacted(after));
    let note = (redacted_before == redacted_after).then(|| "a secret has changed".to_owned());
    Some(Change {
        key: key.to_owned(),
        old: redacted_before,
        new: redacted_after,
        note,
    })
}

/// Returns a value with the secrets in it replaced.
fn redact(value: Value, secret: bool) -> Value {
    match value {
        _ if secret => REDACTED.into(),
        Value::Array(items) => (items.into_iter().map(|item| redact(item, false))).collect(),
        Value::Object(table) => {
            let table = table.into_iter();
            table
                .map(|(key, value)| {
                    let secret = is_secret(&key);
                    (key, redact(value, secret))
                })
                .collect()
        }
        // A URL with user information, as https://user:password@host.
        Value::String(text) if has_user_information(&text) => REDACTED.into(),
        Value::String(text) if text.contains("://") => without_query(&text).into(),
        plain => plain,
    }
}

fn has_user_information(text: &str) -> bool {
    let authority = text.split_once("://").map(|(_, rest)| rest);
    authority.is_some_and(|rest| rest.split('/').next().unwrap_or(rest).contains('@'))
}

/// Returns a URL without its query, in which tokens stand.
fn without_query(url: &str) -> String {
    match url.split_once('?') {
        Some((before, _)) => format!("{before}?{REDACTED}"),
        None => url.to_owned(),
    }
}

/// Returns true if a key is secret by its name.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase().replace('_', "-");
    SECRET_WORDS.iter().any(|secret| key.contains(secret))
}

/// Suffix of the key that stands for the order of a list of tables.
const ORDER_SUFFIX: &str = " (order)";

struct Leaf {
    value: Value,
    secret: bool,
}

/// Values of a document by key: all values except tables and lists of named tables.
#[derive(Default)]
struct Leaves(BTreeMap<String, Leaf>);

impl Leaves {
    fn of(document: &Value) -> Self {
        let mut leaves = Self::default();
        leaves.collect_leaves("", document, false);
        leaves
    }

    fn collect_leaves(&mut self, key: &str, value: &Value, secret: bool) {
        match value {
            Value::Object(table) if !table.is_empty() || key.is_empty() => {
                for (name, value) in table {
                    // Numbers alone are below `caps.credential`.
                    let secret = secret || (is_secret(name) && key != "caps");
                    self.collect_leaves(&join_key(key, name), value, secret);
                }
            }
            Value::Array(items) => match distinct_names(items) {
                Some(names) => {
                    for (name, item) in names.iter().zip(items) {
                        self.collect_leaves(&join_key(key, name), item, secret);
                    }
                    let order = names.into_iter().map(Value::from).collect();
                    self.insert(format!("{key}{ORDER_SUFFIX}"), order, secret);
                }
                None => self.insert(key.to_owned(), value.clone(), secret),
            },
            _ => self.insert(key.to_owned(), value.clone(), secret),
        }
    }

    fn insert(&mut self, key: String, value: Value, secret: bool) {
        self.0.insert(key, Leaf { value, secret });
    }
}

/// Returns the key of a name below another key, quoted as in TOML.
fn join_key(key: &str, name: &str) -> String {
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

/// Returns the names of tables if each has one and they are distinct.
fn distinct_names(items: &[Value]) -> Option<Vec<&str>> {
    fn name(item: &Value) -> Option<&str> {
        ["name", "id"]
            .iter()
            .find_map(|key| item.get(key)?.as_str())
    }
    let names: Vec<_> = items.iter().map(name).collect::<Option<_>>()?;
    let distinct: BTreeSet<_> = names.iter().collect();
    (!names.is_empty() && distinct.len() == names.len()).then_some(names)
}

/// Returns the changes that need a restart. A reload activates all others.
pub(super) fn restart_only(old: &Config, new: &Config) -> Vec<Finding> {
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
            old.log.addresses != new.log.addresses,
            &["log", "addresses"],
            "whoever reads the log expects addresses in one form",
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
