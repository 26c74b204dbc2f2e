//! The two relays, each with a queue that is filled while nothing leaves.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tempfile::TempDir;
use test_support::{Postfix, Relay, RelayBuilder};

use super::waiting::WaitingMail;
use crate::bench::usage::Tree;

/// Interval at which the CPU time of a relay is read to see whether it has work.
const LOOK: Duration = Duration::from_secs(1);

/// CPU time in one [`LOOK`] below which a relay has no work.
const IDLE: Duration = Duration::from_millis(30);

/// Time after which a relay that has work still is no use.
const LONGEST_WORK: Duration = Duration::from_secs(3600);

/// A relay with a queue.
#[derive(Debug)]
pub enum Outbound {
    /// Gatepost, with its folder; `None` while it is stopped.
    Gatepost(RelayBuilder, TempDir, Option<Relay>),
    /// Postfix.
    Postfix(Postfix),
}

/// Settings that make Postfix fast; see `contender.rs`. TLS sessions are kept, too.
const POSTFIX: &str = "
smtpd_tls_security_level = none
smtpd_client_connection_count_limit = 0
default_process_limit = 150
max_use = 100000
initial_destination_concurrency = 20
default_destination_concurrency_limit = 20
";

impl Outbound {
    /// Makes a Gatepost that is not started yet, with further configuration.
    ///
    /// # Errors
    /// There is no room for its folder.
    pub fn gatepost(binary: &Path, config: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let builder = RelayBuilder::new(include_str!("../outbound.toml"))
            .with(config)
            .usual_disk()
            .program(binary)
            .directory(folder.path());
        Ok(Self::Gatepost(builder, folder, None))
    }

    /// Starts a Postfix whose queue manager does not run, with further settings. Returns `None` if
    /// it is not installed or cannot run here.
    pub fn postfix(resolver: Option<IpAddr>, main: &str) -> Option<Self> {
        Postfix::holding(&format!("{POSTFIX}{main}"), resolver).map(Self::Postfix)
    }

    /// Returns the relay's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gatepost(..) => "Gatepost",
            Self::Postfix(_) => "Postfix",
        }
    }

    /// Fills its queue. Nothing leaves until it is released.
    ///
    /// # Errors
    /// The messages cannot be stored.
    pub fn fill(&mut self, waiting: WaitingMail) -> Result<()> {
        self.hold();
        match self {
            Self::Gatepost(_, folder, _) => waiting.into_store(&store(folder)),
            Self::Postfix(postfix) => waiting.into_postfix(postfix.address()),
        }
    }

    fn hold(&mut self) {
        match self {
            Self::Gatepost(_, _, relay) => {
                if let Some(mut relay) = relay.take() {
                    relay.terminate();
                }
            }
            Self::Postfix(postfix) => postfix.hold(),
        }
    }

    /// Lets what waits leave.
    pub fn release(&mut self) {
        match self {
            Self::Gatepost(builder, _, relay) => *relay = Some(builder.clone().start()),
            Self::Postfix(postfix) => postfix.release(),
        }
    }

    /// Returns the running Gatepost's or Postfix's address for inbound mail.
    pub fn address(&self) -> Option<std::net::SocketAddr> {
        match self {
            Self::Gatepost(_, _, relay) => relay.as_ref().map(|relay| relay.address("mx")),
            Self::Postfix(postfix) => Some(postfix.address()),
        }
    }

    /// Returns its processes.
    pub fn tree(&self) -> Tree {
        Tree::of(match self {
            Self::Gatepost(_, _, relay) => relay.iter().map(Relay::id).collect(),
            Self::Postfix(postfix) => postfix.ids(),
        })
    }

    /// Waits until it has no more work.
    ///
    /// # Errors
    /// It works for ever.
    pub fn rest(&self) -> Result<()> {
        let (tree, begun) = (self.tree(), Instant::now());
        let mut before = tree.cpu();
        let mut quiet = 0;
        while quiet < 3 {
            ensure!(begun.elapsed() < LONGEST_WORK, "{} works on", self.name());
            thread::sleep(LOOK);
            let now = tree.cpu();
            quiet = match now.saturating_sub(before) < IDLE {
                true => quiet + 1,
                false => 0,
            };
            before = now;
        }
        Ok(())
    }
}

fn store(folder: &TempDir) -> PathBuf {
    folder.path().join("store")
}
