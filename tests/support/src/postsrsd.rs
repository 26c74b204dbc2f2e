//! postsrsd, by which Postfix forwards mail in the name of its own domain (Sender Rewriting Scheme).

use std::process::Command;

use tempfile::TempDir;

use crate::Process;
use crate::packages::unpacked;
use crate::wait::{free_port, listening};

/// A running postsrsd for one test.
#[derive(Debug)]
pub struct Postsrsd {
    _process: Process,
    /// Lines for the `main.cf` of a Postfix that uses it.
    main: String,
    // Dropped after the process.
    _home: TempDir,
}

impl Postsrsd {
    /// Starts one that writes reverse-paths into this domain, all but those that are there already.
    /// If it is not unpacked, reports that in one line and returns `None`.
    pub fn start(domain: &str) -> Option<Self> {
        let program = unpacked("postsrsd")?.join("usr/sbin/postsrsd");
        let home = tempfile::tempdir().unwrap_or_else(|error| panic!("no directory: {error}"));
        let secret = home.path().join("secret");
        let written = std::fs::write(&secret, "not a secret of anybody\n");
        written.unwrap_or_else(|error| panic!("{}: {error}", secret.display()));
        let (forward, reverse) = (free_port(), free_port());
        let mut command = Command::new(program);
        command.arg("-4").arg(format!("-d{domain}"));
        command.arg(format!("-s{}", secret.display()));
        command.arg(format!("-f{}", forward.port()));
        command.arg(format!("-r{}", reverse.port()));
        let process = Process::start("postsrsd", &mut command);
        listening(forward);
        listening(reverse);
        let main = format!(
            "sender_canonical_maps = tcp:{forward}\n\
             sender_canonical_classes = envelope_sender\n\
             recipient_canonical_maps = tcp:{reverse}\n\
             recipient_canonical_classes = envelope_recipient, header_recipient\n"
        );
        Some(Self {
            _process: process,
            main,
            _home: home,
        })
    }

    /// Returns the lines for the `main.cf` of a Postfix that uses it.
    pub fn main(&self) -> &str {
        &self.main
    }
}
