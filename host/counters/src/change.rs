//! Changes of counts, marks and machines.

use std::time::Duration;

use gatepost_message::Millis;
use gatepost_model::{Effect, Machine, Scope};

use crate::bucket;

/// One change, as a store commits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CounterChange {
    /// Marks the key until a time.
    Mark {
        /// Owner of the mark.
        scope: Scope,
        /// Marked key.
        key: String,
        /// End of the mark.
        until: Millis,
    },
    /// Adds to the count in a bucket.
    Count {
        /// Owner of the count.
        scope: Scope,
        /// Counted key.
        key: String,
        /// Minute since 1970.
        bucket: u64,
        /// Amount to add.
        amount: u64,
    },
    /// Deletes the count.
    ForgetCount {
        /// Owner of the count.
        scope: Scope,
        /// Counted key.
        key: String,
    },
    /// Stores an address as a machine's, and replaces what was known of it.
    Machine {
        /// Account that knows it; empty for mail of no account.
        account: String,
        /// Address in canonical form.
        address: String,
        /// Knowledge about the machine.
        machine: Machine,
    },
    /// Deletes a machine.
    ForgetMachine {
        /// Account that knows it; empty for mail of no account.
        account: String,
        /// Address in canonical form.
        address: String,
    },
    /// Deletes a mark.
    Unmark {
        /// Owner of the mark.
        scope: Scope,
        /// Marked key.
        key: String,
    },
    /// Deletes all marks, counts and machines of an account.
    ForgetAccount {
        /// Account.
        account: String,
    },
    /// Deletes a bucket of a count.
    DropBucket {
        /// Owner of the count.
        scope: Scope,
        /// Counted key.
        key: String,
        /// Minute since 1970.
        bucket: u64,
    },
}

impl CounterChange {
    /// Returns the change that an effect makes; marks, counts and machines begin at `time`, the
    /// transaction's own.
    pub fn of(scope: &Scope, effect: &Effect, time: Millis) -> Self {
        let scope = scope.clone();
        let after = |seconds: u32| time + Duration::from_secs(seconds.into());
        match effect {
            Effect::MarkSeen { key, seconds } => Self::Mark {
                scope,
                key: key.clone(),
                until: after(*seconds),
            },
            Effect::Count { key, amount } => Self::Count {
                scope,
                key: key.clone(),
                bucket: bucket(time),
                amount: (*amount).into(),
            },
            Effect::ForgetCount { key } => Self::ForgetCount {
                scope,
                key: key.clone(),
            },
            Effect::RememberMachine {
                address,
                evidence,
                seconds,
            } => Self::Machine {
                account: scope.account.unwrap_or_default(),
                address: address.clone(),
                machine: Machine {
                    evidence: evidence.clone(),
                    since: time,
                    until: after(*seconds),
                },
            },
            Effect::ForgetMachine { address } => Self::ForgetMachine {
                account: scope.account.unwrap_or_default(),
                address: address.clone(),
            },
        }
    }

    /// Returns the change's kind, its policy (empty for machines) and its account.
    pub fn labels(&self) -> (&'static str, &str, &str) {
        match self {
            Self::Mark { scope, .. } | Self::Unmark { scope, .. } => labels("marks", scope),
            Self::Count { scope, .. }
            | Self::ForgetCount { scope, .. }
            | Self::DropBucket { scope, .. } => labels("counts", scope),
            Self::Machine { account, .. } | Self::ForgetMachine { account, .. } => {
                ("machines", "", account)
            }
            Self::ForgetAccount { account } => ("account", "", account),
        }
    }
}

fn labels<'a>(kind: &'static str, scope: &'a Scope) -> (&'static str, &'a str, &'a str) {
    let account = scope.account.as_deref().unwrap_or_default();
    (kind, &scope.policy, account)
}
