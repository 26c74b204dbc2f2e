//! The policies: which module, with which settings and limits.

use std::path::PathBuf;
use std::time::Duration;

use gatepost_message::{Address, ReversePath};
use gatepost_policy::{Grants, Limits, OnError};
use serde::Deserialize;

use super::{Direction, units};

/// One policy: a module and what it is given.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// Names it in chains, metrics, queue and trace.
    pub name: String,
    /// A module that comes with the relay; this or `file`.
    pub builtin: Option<String>,
    /// A module of the site's own; this or `builtin`. Without either it is `NAME.wasm` in the
    /// [watched folder](super::Relay::policies), where there is one.
    pub file: Option<PathBuf>,
    /// What becomes of a message when the policy fails.
    #[serde(default)]
    pub on_error: OnError,
    /// How long one call may run; the time of others that are served in between does not count.
    #[serde(default = "default_deadline", deserialize_with = "units::duration")]
    pub deadline: Duration,
    /// How many octets of memory one call may have.
    #[serde(default = "default_memory", deserialize_with = "units::size")]
    pub memory: usize,
    /// What it may do that not every policy may.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// Handed to the policy, which says itself what is allowed in there.
    #[serde(default = "no_settings")]
    pub settings: serde_json::Value,
    /// Messages that it must judge as expected before it is let at real ones.
    #[serde(default, rename = "self-test")]
    pub self_tests: Vec<SelfTest>,
}

impl Policy {
    /// A built-in policy with its defaults.
    pub(super) fn builtin(name: String) -> Self {
        Self {
            builtin: Some(name.clone()),
            name,
            file: None,
            on_error: OnError::default(),
            deadline: default_deadline(),
            memory: default_memory(),
            grants: Vec::new(),
            settings: no_settings(),
            self_tests: Vec::new(),
        }
    }

    /// What it may do that not every policy may, in the engine's terms.
    pub fn grants(&self) -> Grants {
        Grants {
            discard: self.grants.contains(&Grant::Discard),
        }
    }

    /// What one call may use, in the engine's terms.
    pub fn limits(&self) -> Limits {
        Limits {
            deadline: self.deadline,
            memory: self.memory,
            ..Limits::default()
        }
    }
}

fn default_deadline() -> Duration {
    Limits::default().deadline
}

fn default_memory() -> usize {
    Limits::default().memory
}

fn no_settings() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

/// What a policy may do that not every policy may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Take a message and drop it.
    Discard,
}

/// A message that a policy must judge as expected before it is let at real ones.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SelfTest {
    /// The message, as an `.eml` file.
    pub file: PathBuf,
    /// Which way it travels.
    #[serde(default = "inbound")]
    pub direction: Direction,
    /// MAIL FROM; the null sender when absent or empty.
    #[serde(default = "null_sender")]
    pub mail_from: ReversePath,
    /// RCPT TO.
    pub rcpt_to: Vec<Address>,
    /// The verdict, as `gatepost check` calls it, or `pass`.
    pub expect: String,
}

fn inbound() -> Direction {
    Direction::Inbound
}

fn null_sender() -> ReversePath {
    ReversePath::Null
}
