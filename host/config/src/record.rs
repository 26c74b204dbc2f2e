//! Records of what policies were asked.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost_message::Millis;
use gatepost_record::RecordSettings;
use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::units;

/// Smallest size of a record, in bytes: a few of its files.
const SMALLEST: u64 = 64 << 20;

/// Settings of the record.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PolicyRecording {
    /// Share of transactions that are recorded, from 0 to 1.
    #[serde(deserialize_with = "share")]
    pub rate: f64,
    /// Share for single accounts, in place of `rate`.
    #[serde(deserialize_with = "shares")]
    pub accounts: BTreeMap<String, f64>,
    /// Records bodies, and not only header sections.
    pub bodies: bool,
    /// Size of the largest body that is recorded, in bytes.
    #[serde(deserialize_with = "units::size")]
    pub largest_body: u64,
    /// Age at which entries are removed.
    #[serde(deserialize_with = "units::duration")]
    pub age: Duration,
    /// Size of all entries together, in bytes.
    #[serde(deserialize_with = "size")]
    pub size: u64,
    /// Time at which the recording ends by itself.
    #[serde(deserialize_with = "time")]
    pub until: Option<Millis>,
}

impl Default for PolicyRecording {
    fn default() -> Self {
        let RecordSettings {
            rate,
            accounts,
            bodies,
            largest_body,
            age,
            size,
            until,
        } = RecordSettings::default();
        Self {
            rate,
            accounts,
            bodies,
            largest_body,
            age,
            size,
            until,
        }
    }
}

impl From<&PolicyRecording> for RecordSettings {
    fn from(of: &PolicyRecording) -> Self {
        Self {
            rate: of.rate,
            accounts: of.accounts.clone(),
            bodies: of.bodies,
            largest_body: of.largest_body,
            age: of.age,
            size: of.size,
            until: of.until,
        }
    }
}

fn check<E: de::Error>(share: f64) -> Result<f64, E> {
    match (0.0..=1.0).contains(&share) {
        true => Ok(share),
        false => Err(E::custom(format!(
            "{share} is no share of transactions: write a number from 0.0 to 1.0, such as 0.1 for one in ten"
        ))),
    }
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    check(f64::deserialize(deserializer)?)
}

fn shares<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let shares = BTreeMap::<String, f64>::deserialize(deserializer)?;
    shares.values().try_for_each(|of| check(*of).map(drop))?;
    Ok(shares)
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size: u64 = units::size(deserializer)?;
    match size >= SMALLEST {
        true => Ok(size),
        false => Err(de::Error::custom(
            "a record needs at least \"64MiB\": the oldest entries go by files of 16 MiB",
        )),
    }
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Millis>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time: Result<jiff::Timestamp, _> = text.parse();
    let millis = time
        .ok()
        .and_then(|time| u64::try_from(time.as_millisecond()).ok());
    let form = || {
        de::Error::custom(format!(
            "`{text}` is not a time; write it as \"2026-12-24T18:00:00Z\" (RFC 3339)"
        ))
    };
    millis.map(|millis| Some(Millis(millis))).ok_or_else(form)
}
