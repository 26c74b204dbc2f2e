//! Record of one policy.

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

use crate::rollouts::{EndedRollout, RolloutEnd, StoredRollout};

/// Number of modules of a policy that are kept for a rollback.
pub const VERSIONS: usize = 10;

/// Most entries of a policy: a module that was active several times has several.
const ENTRIES: usize = 50;

/// Source of a version that a rollback activates again.
pub const ROLLBACK: &str = "rollback";

/// Longest text of an entry that came from outside, in octets.
const LONGEST: usize = 200;

/// Record of one policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct VersionRecord {
    /// Versions that were active, the present one first.
    pub versions: Vec<ActivatedVersion>,
    /// Digest of the module that the configuration named when it was last read.
    pub configured: Option<String>,
    /// Digest of that module with its settings.
    pub configured_version: Option<String>,
    /// Module that was activated by hand and is not the configuration's.
    pub activated: Option<ManualActivation>,
    /// Rollout of a version that is not active yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<StoredRollout>,
    /// Rollouts that have ended, the last one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollouts: Vec<EndedRollout>,
}

/// Version that was activated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ActivatedVersion {
    /// Digest of module and settings, by which judgements name it.
    pub digest: String,
    /// SHA-256 of the module.
    pub module: String,
    /// Size of the module, in octets.
    pub size: u64,
    /// Time.
    pub at: Millis,
    /// Person, program or part of the relay that activated it, and from where.
    #[serde(flatten)]
    pub by: ActivatedBy,
    /// Reason, where there was one: the figures of a rollout that was rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Person, program or part of the relay that activates a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ActivatedBy {
    /// Name of a user of the system, of a token of the API, or `gatepost` for the relay itself.
    pub actor: String,
    /// Place that it was asked from: `socket`, `api`, `configuration`, `folder` or `rollout`; `settings`
    /// where the configuration has other settings, and the module stays that was activated by hand.
    pub origin: String,
    /// Source of the module: the name of a file as the client gave it, `configuration`, `folder` or
    /// [`ROLLBACK`].
    pub source: String,
}

/// Module that was activated by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ManualActivation {
    /// Digest of the module.
    pub module: String,
    /// Digest of the module that the configuration named at that time. Once it names another, it
    /// has spoken later, and this ends.
    pub configured: String,
}

impl ActivatedBy {
    /// Returns the relay that reads its configuration.
    pub fn configuration() -> Self {
        Self::relay("configuration", "configuration")
    }

    /// Returns the relay that has read other settings, for a module from this source that stays.
    pub fn settings(source: &str) -> Self {
        Self::relay("settings", source)
    }

    /// Returns the relay that watches a folder.
    pub fn folder() -> Self {
        Self::relay("folder", "folder")
    }

    /// Returns the relay that carries out a rollout of a module from this source.
    pub fn rollout(source: &str) -> Self {
        Self::relay("rollout", source)
    }

    fn relay(origin: &str, source: &str) -> Self {
        Self::new("gatepost", origin, source)
    }

    /// Makes one of a name, the place that is asked from, and the module's source; long texts are
    /// cut, and control characters dropped.
    pub fn new(actor: &str, origin: &str, source: &str) -> Self {
        Self {
            actor: bounded(actor),
            origin: bounded(origin),
            source: bounded(source),
        }
    }
}

impl std::fmt::Display for ActivatedBy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            actor,
            origin,
            source,
        } = self;
        write!(formatter, "by {actor} ({origin})")?;
        match source.as_str() {
            ROLLBACK => write!(formatter, ", as a rollback"),
            same if same == origin => Ok(()),
            source => write!(formatter, " from {source}"),
        }
    }
}

fn bounded(text: &str) -> String {
    let mut bounded: String = text.chars().filter(|c| !c.is_control()).collect();
    bounded.truncate(bounded.floor_char_boundary(LONGEST));
    bounded
}

impl VersionRecord {
    /// Notes that a version is active now. If it is already, nothing is noted.
    pub(crate) fn note(&mut self, version: ActivatedVersion) {
        if (self.versions.first()).is_some_and(|present| present.digest == version.digest) {
            return;
        }
        self.versions.insert(0, version);
        let mut modules: Vec<String> = Vec::new();
        self.versions.retain(|of| {
            if !modules.contains(&of.module) && modules.len() < VERSIONS {
                modules.push(of.module.clone());
            }
            modules.contains(&of.module)
        });
        self.versions.truncate(ENTRIES);
    }

    /// Returns the time from which the version of this digest has been active; `None` if it is not the
    /// last that was noted.
    pub fn active_since(&self, digest: &str) -> Option<Millis> {
        let last = self.versions.first().filter(|of| of.digest == digest);
        last.map(|of| of.at)
    }

    /// Returns the last rollout, if its candidate was dropped and no other module has been activated
    /// since. Other settings are no other module.
    pub fn dropped_last(&self) -> Option<&EndedRollout> {
        let ended = self.rollouts.first()?;
        let module = self.versions.first().map(|of| &of.module);
        let same = self
            .versions
            .iter()
            .take_while(|of| Some(&of.module) == module);
        let is_newest = same
            .last()
            .is_none_or(|activated| ended.ended > activated.at);
        (ended.end != RolloutEnd::Promoted && is_newest).then_some(ended)
    }

    /// Returns the time at which a rollback took this module away, if that is the way in which it was
    /// active or under trial last.
    pub fn rolled_back(&self, module: &str) -> Option<Millis> {
        let last = self.versions.iter().position(|of| of.module == module);
        let after = last.and_then(|at| self.versions.get(at.checked_sub(1)?));
        let active = last.and_then(|at| self.versions.get(at)).map(|of| of.at);
        let left = after.filter(|of| of.by.source == ROLLBACK).map(|of| of.at);
        let tried = self.rollouts.iter().find(|of| of.module == module);
        let dropped =
            tried.filter(|of| of.end == RolloutEnd::RolledBack && Some(of.ended) > active);
        left.max(dropped.map(|of| of.ended))
    }

    /// Returns the version to which a rollback returns: the last with another module than `active`.
    pub fn before(&self, active: &str) -> Option<&ActivatedVersion> {
        self.versions.iter().find(|of| of.module != active)
    }

    /// Returns the versions whose digest, or whose module's digest, begins with this; each module
    /// once.
    pub fn named(&self, digest: &str) -> Vec<&ActivatedVersion> {
        let mut named: Vec<&ActivatedVersion> = Vec::new();
        for of in &self.versions {
            let is_named = of.digest.starts_with(digest) || of.module.starts_with(digest);
            if is_named && named.iter().all(|known| known.module != of.module) {
                named.push(of);
            }
        }
        named
    }

    /// Returns the digests of all modules that it names.
    pub(super) fn modules(&self) -> impl Iterator<Item = &str> {
        let versions = self.versions.iter().map(|of| of.module.as_str());
        let activated = self.activated.iter().map(|of| of.module.as_str());
        let candidate = self.rollout.iter().map(|of| of.module.as_str());
        (versions.chain(self.configured.as_deref()))
            .chain(activated)
            .chain(candidate)
    }
}
