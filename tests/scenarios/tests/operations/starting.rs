//! While a relay starts, commands say so; and a start that hangs can be stopped.
//!
//! An fsync that waits holds the start up until the test lets it go on.

use std::process::Output;
use std::time::{Duration, Instant};

use test_support::torture::{PowerLoss, power::Mode};
use test_support::{PATIENCE, Process, RelayBuilder, Sink, gatepost, run};

use crate::CHAIN;

/// Time that the relay may take to stop.
const DRAIN: Duration = Duration::from_secs(2);

/// A relay whose fsync waits, started as far as it comes.
struct HeldUp {
    process: Process,
    disk: PowerLoss,
    config: String,
}

impl HeldUp {
    fn start(sink: &Sink) -> Self {
        let disk = PowerLoss::new(Mode::Hold);
        disk.hold();
        let directory = disk.directory();
        let builder = RelayBuilder::usual(sink.address())
            .replace(CHAIN, "chain = []")
            .with("[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\ndrain = \"2s\"")
            .directory(&directory);
        let config = builder.write(&directory);
        let mut command = gatepost();
        command.arg("serve").arg("--config").arg(&config);
        command.env("RUST_LOG", "info").envs(disk.environment());
        Self {
            process: Process::start("relay", &mut command),
            disk,
            config: config.display().to_string(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Output {
        run(&[arguments, &["--config", &self.config]].concat())
    }

    /// Waits until the relay answers that it starts, at the step where it is held up.
    fn starts(&self) {
        let begun = Instant::now();
        // Before that a command would open the store itself.
        while !self.disk.directory().join("store/control.sock").exists() {
            assert!(begun.elapsed() < PATIENCE, "{}", self.process.log());
        }
        loop {
            let output = self.command(&["queue", "list"]);
            let said = String::from_utf8(output.stderr).unwrap();
            if said.contains("the relay is starting: opening its store") {
                assert_eq!(output.status.code(), Some(1));
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{said}\n{}", self.process.log());
            assert!(!said.contains("are you the user"), "{said}");
        }
    }
}

#[test]
fn commands_say_that_the_relay_is_starting_and_its_step() {
    let sink = Sink::start();
    let mut relay = HeldUp::start(&sink);
    relay.starts();
    for arguments in [&["policy", "list"][..], &["reload"], &["account", "list"]] {
        let output = relay.command(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            said.contains("the relay is starting"),
            "{arguments:?}: {said}"
        );
    }
    relay.disk.release();
    assert!(relay.process.line().starts_with("ready "));
    let output = relay.command(&["queue", "list"]);
    assert!(output.status.success(), "{output:?}");
    relay.process.signal("TERM");
    assert_eq!(relay.process.wait().code(), Some(0));
    assert!(!relay.disk.directory().join("store/control.sock").exists());
}

#[test]
fn a_start_that_hangs_is_stopped_in_time() {
    let sink = Sink::start();
    for signals in [&["INT"][..], &["TERM", "TERM"]] {
        let mut relay = HeldUp::start(&sink);
        relay.starts();
        let begun = Instant::now();
        for signal in signals {
            relay.process.signal(signal);
        }
        assert_eq!(relay.process.wait().code(), Some(0), "{signals:?}");
        // What a busy machine adds.
        let late = begun.elapsed().saturating_sub(DRAIN);
        assert!(late < Duration::from_secs(5), "{signals:?}: {late:?} late");
    }
}
