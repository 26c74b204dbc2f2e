//! What caps bound, and the counts behind them.

use std::fmt;

use gatepost_counters::Memory;
use gatepost_message::Millis;
use gatepost_model::Scope;
use serde::{Deserialize, Serialize};

/// Name that stands in the place of a policy's, and that no policy can have.
const OWNER: &str = "(volume)";

/// Part of a site that a submission counts for.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(tag = "of", content = "name", rename_all = "kebab-case")]
pub enum Subject {
    /// The account.
    Account,
    /// Domain of the reverse-path, in A-labels and lower case.
    Domain(String),
    /// Credential, or user of the configuration, by its name.
    Credential(String),
}

impl Subject {
    /// Returns the kind of the subject in metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Domain(_) => "domain",
            Self::Credential(_) => "credential",
        }
    }

    /// Returns the key under which a measure is counted.
    pub(crate) fn key(&self, measure: Measure) -> String {
        let what = measure.word();
        match self {
            Self::Account => what.to_owned(),
            Self::Domain(domain) => format!("{what} domain {domain}"),
            Self::Credential(name) => format!("{what} credential {name}"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.write_str("the account"),
            Self::Domain(domain) => write!(f, "the domain {domain}"),
            Self::Credential(name) => write!(f, "the credential {name}"),
        }
    }
}

/// Thing that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Accepted messages.
    Messages,
    /// Recipients of accepted messages.
    Recipients,
}

impl Measure {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Recipients => "recipients",
        }
    }
}

/// Time in which is counted. It slides, by the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// The last hour.
    Hour,
    /// The last 24 hours.
    Day,
}

impl Window {
    /// Both windows.
    pub const ALL: [Self; 2] = [Self::Hour, Self::Day];

    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Returns its length in seconds.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 24 * 3_600,
        }
    }
}

/// Returns the owner of an account's counts.
pub(crate) fn scope(account: &str) -> Scope {
    Scope {
        policy: OWNER.to_owned(),
        account: Some(account.to_owned()),
    }
}

/// Messages and recipients that a subject was accepted lately.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct Used {
    /// Messages of the last hour.
    pub messages_in_an_hour: u64,
    /// Messages of the last 24 hours.
    pub messages_in_a_day: u64,
    /// Recipients of the last hour.
    pub recipients_in_an_hour: u64,
    /// Recipients of the last 24 hours.
    pub recipients_in_a_day: u64,
}

/// Looks up what was accepted from a subject of an account.
pub fn used(memory: &dyn Memory, account: &str, subject: &Subject, now: Millis) -> Used {
    let scope = scope(account);
    let counted = |measure, window: Window| {
        memory.counted(&scope, &subject.key(measure), window.seconds(), now)
    };
    Used {
        messages_in_an_hour: counted(Measure::Messages, Window::Hour),
        messages_in_a_day: counted(Measure::Messages, Window::Day),
        recipients_in_an_hour: counted(Measure::Recipients, Window::Hour),
        recipients_in_a_day: counted(Measure::Recipients, Window::Day),
    }
}
