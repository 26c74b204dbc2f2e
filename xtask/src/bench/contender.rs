//! The two relays, each with a sink of its own behind it.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use test_support::{Postfix, Relay, RelayBuilder, hostile_file};

use super::load::Load;
use super::sink::Sink;
use super::usage::Tree;

/// Time for a relay to finish work on what has already arrived, before its CPU time is read.
const SETTLING: Duration = Duration::from_millis(500);

/// A relay under load.
#[derive(Debug)]
pub struct Contender {
    relay: Running,
    sink: Sink,
}

#[derive(Debug)]
enum Running {
    Gatepost(Relay),
    /// Gatepost in another build.
    Other(Relay),
    Postfix(Postfix),
}

/// Result of one run of a load.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Messages accepted a second, until the last was accepted.
    pub accepted: f64,
    /// Messages a second, until the last was at the sink.
    pub relayed: f64,
    /// CPU time of all processes of the relay for each message, in microseconds.
    pub cpu: f64,
}

/// Settings that make Postfix fast: no TLS, no counting of clients, processes that are not
/// replaced, as many deliveries at a time as it may have processes.
pub const POSTFIX: &str = "
smtpd_tls_security_level = none
smtp_tls_security_level = none
smtpd_client_connection_count_limit = 0
default_process_limit = 150
max_use = 100000
initial_destination_concurrency = 20
default_destination_concurrency_limit = 20
";

impl Contender {
    /// Starts Gatepost with its chain of the three built-in policies.
    ///
    /// # Errors
    /// The sink does not start.
    pub fn gatepost(binary: &Path) -> Result<Self> {
        Self::gatepost_with(binary, |relay| relay)
    }

    /// Starts the two that are measured beside each other: Gatepost, and another build of it where
    /// one is given, otherwise Postfix, if it is installed and can run here.
    ///
    /// # Errors
    /// The sink does not start.
    pub fn pair(binary: &Path, other: Option<&Path>) -> Result<Vec<Self>> {
        let gatepost = Self::gatepost(binary)?;
        let beside = match other {
            None => Self::postfix()?,
            Some(other) => {
                let Self { relay, sink } = Self::gatepost(other)?;
                let relay = match relay {
                    Running::Gatepost(relay) => Running::Other(relay),
                    relay => relay,
                };
                Some(Self { relay, sink })
            }
        };
        Ok([Some(gatepost), beside].into_iter().flatten().collect())
    }

    /// Starts Gatepost with a fourth policy, which runs until its deadline for a message with
    /// X-Attack.
    ///
    /// # Errors
    /// The sink does not start.
    pub fn gatepost_attacked(binary: &Path) -> Result<Self> {
        let file = hostile_file("endless_loop");
        Self::gatepost_with(binary, |relay| {
            let relay = relay.replace(
                "\"outbound-route\"]",
                "\"outbound-route\", \"endless-loop\"]",
            );
            relay.with(&format!(
                "[[policy]]\nname = \"endless-loop\"\nfile = {file:?}\non-error = \"skip\""
            ))
        })
    }

    /// Starts Gatepost with `inbound-auth` as a fourth policy, so that it authenticates messages,
    /// asking this name server. Its sink keeps samples.
    ///
    /// # Errors
    /// The sink does not start.
    pub fn gatepost_authenticating(binary: &Path, resolver: SocketAddr) -> Result<Self> {
        Self::gatepost_into(Sink::sampling()?, binary, |relay| {
            relay
                .replace("chain = [", "chain = [\"inbound-auth\", ")
                .with(&format!("[dns]\nservers = [\"{resolver}\"]"))
        })
    }

    /// Starts Gatepost for the mail of an application, with events recorded or not.
    ///
    /// # Errors
    /// The sink does not start.
    pub fn gatepost_submitting(binary: &Path, record: bool) -> Result<Self> {
        Self::gatepost_with(binary, |relay| {
            let submission = "direction = \"submission\"\ntls = \"required-starttls\"";
            relay
                .replace("direction = \"inbound\"\ntls = \"none\"", submission)
                .replace(
                    "domains = [\"desk.example\"]",
                    "domains = [\"desk.example\"]\n\
                     users = [{ name = \"user\", password = \"secret\" }]",
                )
                .with(&format!("[events]\nrecord = {record}"))
        })
    }

    /// Starts Gatepost with more in its configuration.
    ///
    /// # Errors
    /// The sink does not start.
    pub fn gatepost_changed(binary: &Path, config: &str) -> Result<Self> {
        Self::gatepost_with(binary, |relay| relay.with(config))
    }

    /// Runs a command of its binary with its configuration; returns its standard output.
    ///
    /// # Errors
    /// The command failed, or it is no Gatepost.
    pub fn command(&self, arguments: &[&str]) -> Result<String> {
        let (Running::Gatepost(relay) | Running::Other(relay)) = &self.relay else {
            bail!("{} has no such commands", self.name());
        };
        let output = relay.command(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "gatepost {arguments:?}: {errors}");
        Ok(String::from_utf8(output.stdout)?)
    }

    fn gatepost_with(
        binary: &Path,
        change: impl FnOnce(RelayBuilder) -> RelayBuilder,
    ) -> Result<Self> {
        Self::gatepost_into(Sink::start()?, binary, change)
    }

    fn gatepost_into(
        sink: Sink,
        binary: &Path,
        change: impl FnOnce(RelayBuilder) -> RelayBuilder,
    ) -> Result<Self> {
        let port = sink.address().port().to_string();
        let relay = RelayBuilder::new(include_str!("gatepost.toml"))
            .usual_disk()
            .replace("{port}", &port);
        let relay = change(relay.program(binary)).start();
        Ok(Self {
            relay: Running::Gatepost(relay),
            sink,
        })
    }

    /// Starts Postfix; returns `None` if it is not installed or cannot run here.
    ///
    /// # Errors
    /// The sink does not start.
    pub fn postfix() -> Result<Option<Self>> {
        let sink = Sink::start()?;
        let postfix = Postfix::with(sink.address(), POSTFIX);
        Ok(postfix.map(|postfix| Self {
            relay: Running::Postfix(postfix),
            sink,
        }))
    }

    /// Starts Postfix with policyd-spf, opendkim and opendmarc, which ask the name server at port
    /// 53 of this address; returns `None` if they are not installed or cannot run here. Its sink
    /// keeps samples.
    ///
    /// # Errors
    /// The sink does not start.
    pub fn postfix_verifying(resolver: IpAddr) -> Result<Option<Self>> {
        let sink = Sink::sampling()?;
        let postfix = Postfix::verifying(sink.address(), POSTFIX, resolver);
        Ok(postfix.map(|postfix| Self {
            relay: Running::Postfix(postfix),
            sink,
        }))
    }

    /// Returns the header sections that its sink has kept since the last call.
    pub fn samples(&self) -> Vec<String> {
        self.sink.samples()
    }

    /// Returns the relay's name.
    pub fn name(&self) -> &'static str {
        match self.relay {
            Running::Gatepost(_) => "Gatepost",
            Running::Other(_) => "the other build",
            Running::Postfix(_) => "Postfix",
        }
    }

    /// Returns the address at which it accepts mail.
    pub fn address(&self) -> SocketAddr {
        match &self.relay {
            Running::Gatepost(relay) | Running::Other(relay) => relay.address("mx"),
            Running::Postfix(postfix) => postfix.address(),
        }
    }

    /// Returns its processes, including those that authenticate for it.
    pub fn tree(&self) -> Tree {
        Tree::of(match &self.relay {
            Running::Gatepost(relay) | Running::Other(relay) => vec![relay.id()],
            Running::Postfix(postfix) => postfix.ids(),
        })
    }

    /// Sends it a load and waits until all of it is at the sink.
    ///
    /// # Errors
    /// A message was refused or lost, or came twice.
    pub fn measure(&self, load: Load) -> Result<Measured> {
        let cpu = self.tree().cpu();
        let (accepted, relayed) = self.relay(|| Ok((load.send(self.address())?, load.messages)))?;
        let cpu = self.tree().cpu() - cpu;
        let messages = load.messages as f64;
        Ok(Measured {
            accepted: messages / accepted.as_secs_f64(),
            relayed: messages / relayed.as_secs_f64(),
            cpu: cpu.as_secs_f64() * 1e6 / messages,
        })
    }

    /// Sends messages by `send`, which returns their number, and waits until exactly these are at
    /// the sink; returns the time of all that.
    ///
    /// # Errors
    /// Sending failed; a message was lost or came twice.
    pub fn relay<T>(&self, send: impl FnOnce() -> Result<(T, u64)>) -> Result<(T, Duration)> {
        let (begun, before) = (Instant::now(), self.sink.count());
        let (sent, messages) = send()?;
        let wanted = before + messages;
        self.sink.wait_for(wanted)?;
        let time = begun.elapsed();
        thread::sleep(SETTLING);
        let (name, count) = (self.name(), self.sink.count());
        ensure!(
            count == wanted,
            "{name}: {count} messages came to the sink, and not {wanted}"
        );
        Ok((sent, time))
    }

    /// Sends it a load with our own generator; returns the wait of each message for its 250.
    ///
    /// # Errors
    /// A message was refused or lost, or came twice.
    pub fn timed(&self, load: Load) -> Result<Vec<Duration>> {
        let send = || Ok((load.timed(self.address())?, load.messages));
        Ok(self.relay(send)?.0)
    }
}
