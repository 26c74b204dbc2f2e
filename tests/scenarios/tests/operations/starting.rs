//! While a relay starts, commands say so; and a start that hangs can be stopped.
//!
//! A named pipe in the place of the key ring holds the start up until the test writes to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use test_support::{PATIENCE, Process, RelayBuilder, Sink, binary, run};

use crate::CHAIN;

/// How long the relay may take to stop.
const DRAIN: Duration = Duration::from_secs(2);

/// A relay whose key ring is a named pipe, started as far as it comes.
struct HeldUp {
    process: Process,
    key_ring: PathBuf,
    keys: Vec<u8>,
    config: String,
    directory: TempDir,
}

pub(crate) fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo")
        .args(["-m", "600"])
        .arg(path)
        .status();
    assert!(made.is_ok_and(|made| made.success()), "mkfifo");
}

impl HeldUp {
    fn start(sink: &Sink) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let builder = RelayBuilder::usual(sink.address())
            .replace(CHAIN, "chain = []")
            .with("[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\ndrain = \"2s\"")
            .directory(directory.path());
        // The first start makes the key ring.
        assert!(builder.clone().start().terminate().success());
        let key_ring = directory.path().join("store/key-ring");
        let keys = fs::read(&key_ring).unwrap();
        fs::remove_file(&key_ring).unwrap();
        make_pipe(&key_ring);
        let config = builder.write(directory.path());
        let mut command = Command::new(binary());
        command.arg("serve").arg("--config").arg(&config);
        command.env("RUST_LOG", "info");
        Self {
            process: Process::start("relay", &mut command),
            key_ring,
            keys,
            config: config.display().to_string(),
            directory,
        }
    }

    fn command(&self, arguments: &[&str]) -> Output {
        run(&[arguments, &["--config", &self.config]].concat())
    }

    /// Waits until the relay answers that it starts, at the step where it is held up.
    fn starts(&self) {
        let begun = Instant::now();
        // Before that a command would open the store itself.
        while !self.directory.path().join("store/control.sock").exists() {
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
fn commands_say_that_it_starts_and_what_it_is_at() {
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
    fs::write(&relay.key_ring, &relay.keys).unwrap();
    assert!(relay.process.line().starts_with("ready "));
    let output = relay.command(&["queue", "list"]);
    assert!(output.status.success(), "{output:?}");
    relay.process.signal("TERM");
    assert_eq!(relay.process.wait().code(), Some(0));
    assert!(!relay.directory.path().join("store/control.sock").exists());
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
