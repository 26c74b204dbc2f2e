//! Policies: module, settings and limits of each.

use std::path::PathBuf;
use std::time::Duration;

use gatepost_message::{Address, ReversePath};
use gatepost_policy::{Grants, Limits, OnError};
use serde::Deserialize;

use super::{Direction, units};

/// Policy: a module with its settings and limits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// Name in chains, metrics, queue and trace.
    pub name: String,
    /// Name of a built-in module; this or `file`.
    pub builtin: Option<String>,
    /// Path of the site's own module; this or `builtin`. Without either, the module is `NAME.wasm`
    /// in the [watched folder](super::Relay::policies), if there is one.
    pub file: Option<PathBuf>,
    /// Treatment of a message when the policy fails.
    #[serde(default)]
    pub on_error: OnError,
    /// Deadline of one call. Time in which other calls run does not count.
    #[serde(default = "default_deadline", deserialize_with = "units::duration")]
    pub deadline: Duration,
    /// Maximum memory of one call in bytes.
    #[serde(default = "default_memory", deserialize_with = "units::size")]
    pub memory: usize,
    /// Capabilities that are granted to it.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// Settings, which the policy itself validates.
    #[serde(default = "no_settings")]
    pub settings: serde_json::Value,
    /// Messages that it must judge as expected before it is activated.
    #[serde(default, rename = "self-test")]
    pub self_tests: Vec<SelfTest>,
}

impl Policy {
    /// Returns a built-in policy with its defaults.
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

    /// Returns the grants in the terms of the engine.
    pub fn grants(&self) -> Grants {
        Grants {
            discard: self.grants.contains(&Grant::Discard),
            next_hop: self.grants.contains(&Grant::NextHop),
        }
    }

    /// Returns the limits of one call in the terms of the engine.
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

/// Capability that a policy has only by grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Accept a message and drop it, or drop a recipient.
    Discard,
    /// Name a server in a plan.
    NextHop,
}

/// Message that a policy must judge as expected before it is activated.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SelfTest {
    /// Path of the message, an `.eml` file.
    pub file: PathBuf,
    /// Direction of the message.
    #[serde(default = "inbound")]
    pub direction: Direction,
    /// Reverse-path; null if absent or empty.
    #[serde(default = "null_sender")]
    pub mail_from: ReversePath,
    /// Recipients.
    pub rcpt_to: Vec<Address>,
    /// Expected verdict, in the words of `gatepost check`, or `pass`.
    pub expect: String,
}

fn inbound() -> Direction {
    Direction::Inbound
}

fn null_sender() -> ReversePath {
    ReversePath::Null
}
