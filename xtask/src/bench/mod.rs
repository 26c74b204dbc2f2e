//! Measurements of the relay: beside Postfix, on signed mail that is authenticated, with a policy
//! that misbehaves, with many idle sessions, while mail leaves, over HTTP beside SMTP, while mail is
//! recorded and a version tried in the shadow, and the cost of its chain of policies and of changes of its directory.
//!
//! Everything that is compared is measured in the same run, and repeated runs alternate between the
//! two relays, so that other load on the machine affects both. Every count is checked at the sink.
//! `docs/performance.md` describes what is measured and how.

mod api;
mod attacked;
mod authentication;
mod chain;
mod change;
mod contender;
mod directory;
mod events;
mod hostile;
mod idle;
mod latency;
mod load;
mod outbound;
mod report;
mod side_by_side;
mod signing;
mod sink;
mod spread;
mod throughput;
mod usage;
mod waits;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use self::contender::Contender;
use self::report::{Report, progress};
use crate::setup;

/// Options of the measurement.
#[derive(Debug, Args)]
pub struct Bench {
    /// Few messages and one run of each: shows whether it works, not how fast.
    #[arg(long)]
    quick: bool,
    /// Measure this only; may be given several times.
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// Another build of the relay, measured by throughput and latency in the place of Postfix.
    #[arg(long, value_name = "BINARY")]
    beside: Option<PathBuf>,
    /// Messages of one run at 20 sessions of 10 KiB; the other runs have a share of it.
    #[arg(long, value_name = "NUMBER", default_value_t = 5000)]
    messages: u64,
    /// Runs of each, of which the median is printed.
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    runs: usize,
    /// Messages that wait for a dead host, of which a tenth waits for a slow one.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000)]
    waiting: u64,
    /// Requests a second over HTTP, of the part `api`.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    posts: u32,
    /// Messages a second over SMTP beside them.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    submissions: u32,
    /// Seconds for which they are offered.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    seconds: u32,
    /// Of outbound mail, measure this only; may be given several times.
    #[arg(long = "case", value_enum, value_name = "CASE")]
    cases: Vec<outbound::Case>,
    /// Writes all measurements to this file as well, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Parts of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Messages a second, CPU time and memory, beside Postfix.
    Throughput,
    /// The same for signed mail that is authenticated, beside Postfix with policyd-spf, opendkim
    /// and opendmarc.
    Authentication,
    /// Time to the 250, beside Postfix.
    Latency,
    /// Time to the 250 while a policy uses its whole deadline on others' messages.
    Attacked,
    /// Time to the 250 while another session sends hostile mail.
    Hostile,
    /// Memory for a thousand idle sessions.
    Idle,
    /// Cost of the chain of policies in the sandbox and natively.
    Chain,
    /// Cost of changes of a large directory.
    Directory,
    /// Mail that is recorded, a version in the shadow, and comparisons on the record.
    Change,
    /// Submitted mail with events and without.
    Events,
    /// Messages over HTTP beside submissions over SMTP, with events to a webhook.
    Api,
    /// Mail that leaves: by a smart host and by MX, beside a dead host and beside a busy account.
    Outbound,
    /// Mail that is signed as it leaves, beside Postfix with opendkim.
    Signing,
}

impl Part {
    /// Returns true if it measures a relay, and not a crate by itself.
    fn has_relay(self) -> bool {
        !matches!(self, Self::Chain | Self::Directory)
    }
}

/// Extent of the measurement.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Messages of one run at 20 sessions of 10 KiB.
    messages: u64,
    /// Runs of each.
    runs: usize,
}

impl Bench {
    /// Returns the messages that wait for a dead host.
    fn waiting(&self) -> u64 {
        match self.quick {
            true => self.waiting.min(2000),
            false => self.waiting.max(100),
        }
    }

    /// Returns the extent of the part `api`.
    fn api(&self, effort: Effort) -> api::Extent {
        let (rate, seconds) = match self.quick {
            true => (200, 2),
            false => (u32::MAX, u32::MAX),
        };
        api::Extent {
            posts: self.posts.clamp(1, rate),
            submissions: self.submissions.clamp(1, rate),
            seconds: self.seconds.clamp(1, seconds),
            runs: effort.runs,
        }
    }

    /// Measures and prints.
    pub fn run(self) -> Result<()> {
        let effort = if self.quick {
            Effort {
                messages: 400,
                runs: 1,
            }
        } else {
            Effort {
                messages: self.messages.max(20),
                runs: self.runs.max(1),
            }
        };
        let wanted = |part: &Part| self.only.is_empty() || self.only.contains(part);
        let has_relay = |part: &Part| wanted(part) && part.has_relay();
        let mut relay = PathBuf::new();
        if Part::value_variants().iter().any(has_relay) {
            relay = setup::build_relay()?;
            progress("starting the relay once, so that its policies are compiled");
            for binary in [Some(&relay), self.beside.as_ref()].into_iter().flatten() {
                drop(Contender::gatepost(binary)?);
            }
        }
        let other = self.beside.as_deref();
        let mut report = Report::default();
        for part in Part::value_variants().iter().filter(|part| wanted(part)) {
            match part {
                Part::Throughput => throughput::run(&relay, other, effort, &mut report)?,
                Part::Authentication => authentication::run(&relay, effort, &mut report)?,
                Part::Latency => latency::run(&relay, other, effort, &mut report)?,
                Part::Attacked => attacked::run(&relay, effort, &mut report)?,
                Part::Hostile => hostile::run(&relay, effort, &mut report)?,
                Part::Idle => idle::run(&relay, &mut report)?,
                Part::Chain => chain::run(&mut report)?,
                Part::Directory => directory::run(&mut report)?,
                Part::Change => change::run(&relay, effort, &mut report)?,
                Part::Events => events::run(&relay, effort, &mut report)?,
                Part::Api => api::run(&relay, self.api(effort), &mut report)?,
                Part::Outbound => {
                    let extent = (effort, &self.cases[..]);
                    outbound::run(&relay, extent, self.waiting(), &mut report)?;
                }
                Part::Signing => signing::run(&relay, effort, &mut report)?,
            }
        }
        if let Some(file) = &self.json {
            report.write(file)?;
        }
        Ok(())
    }
}
