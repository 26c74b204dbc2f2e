//! `gatepost sink` as next hop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

use crate::wait::until;
use crate::{PATIENCE, Process, gatepost};

/// A running sink, and the folder of its messages.
#[derive(Debug)]
pub struct Sink {
    process: Process,
    address: SocketAddr,
    directory: TempDir,
}

/// A message that the sink accepted.
#[derive(Debug, Clone, Deserialize)]
pub struct Taken {
    /// Reverse-path; empty when null.
    pub from: String,
    /// Recipients.
    pub to: Vec<String>,
    /// True if SMTPUTF8 was among the parameters of MAIL (RFC 6531).
    pub smtputf8: bool,
    /// RET and ENVID of MAIL, as given (RFC 3461).
    pub dsn: String,
    /// NOTIFY and ORCPT of each RCPT.
    pub dsn_to: Vec<String>,
    /// Size in octets.
    pub size: u64,
    /// Protocol and cipher of the connection under TLS.
    pub tls: Option<String>,
    /// Parameters of MAIL, as given; of a script's server only, as all below.
    pub parameters: Vec<String>,
    /// Number of the connection.
    pub connection: u64,
    /// True if the message came by BDAT.
    pub chunked: bool,
    /// True if an octet of the message is outside ASCII.
    pub eight_bit: bool,
    /// Argument of EHLO, LHLO or HELO.
    pub helo: Option<String>,
    /// Certificate that the client has shown, in base64.
    pub client_certificate: Option<String>,
    /// User that AUTH proved.
    pub user: Option<String>,
    /// Mechanism of AUTH.
    pub mechanism: Option<String>,
    /// Arguments of XFORWARD.
    pub xforward: Vec<String>,
    /// File of the message.
    pub file: PathBuf,
}

impl Taken {
    /// Returns the message.
    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.file).unwrap_or_else(|e| panic!("{}: {e}", self.file.display()))
    }

    /// Returns the message as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Returns the first header of that name, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let head = text
            .split("\r\n\r\n")
            .next()?
            .replace("\r\n ", " ")
            .replace("\r\n\t", "\t");
        head.split("\r\n").find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    }
}

impl Sink {
    /// Starts a sink that accepts everything.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a sink with further arguments, such as `--fail-rcpt`.
    pub fn with(arguments: &[&str]) -> Self {
        Self::at("127.0.0.1:0", arguments)
    }

    /// Starts a sink that follows a script and writes its [dialogue](Self::dialogue), with further
    /// arguments, such as `--certificate`.
    pub fn scripted(script: &str, arguments: &[&str]) -> Self {
        Self::scripted_at("127.0.0.1:0", script, arguments)
    }

    /// Starts a sink that follows a script, at a given address.
    pub fn scripted_at(address: &str, script: &str, arguments: &[&str]) -> Self {
        let directory = directory();
        let file = directory.path().join("script.toml");
        std::fs::write(&file, script).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let (file, dialogue) = (file.into_os_string(), directory.path().join("dialogue"));
        let texts = [file, dialogue.into_os_string()].map(|path| path.into_string());
        let [Ok(file), Ok(dialogue)] = texts else {
            panic!("the folder of temporary files has an odd name");
        };
        let script = ["--script", &file, "--dialogue", &dialogue];
        Self::in_directory(directory, address, &[&script, arguments].concat())
    }

    /// Starts a sink at a given address.
    pub fn at(address: &str, arguments: &[&str]) -> Self {
        Self::in_directory(directory(), address, arguments)
    }

    fn in_directory(directory: TempDir, address: &str, arguments: &[&str]) -> Self {
        let mut command = gatepost();
        command.args(["sink", "--json", "--listen", address, "--output"]);
        command.arg(directory.path()).args(arguments);
        let process = Process::start("sink", &mut command);
        let line = process.line();
        let address = line
            .strip_prefix("listening on ")
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("the sink does not listen: {line:?}"));
        Self {
            process,
            address,
            directory,
        }
    }

    /// Returns the address at which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the dialogues of a script's server up to now, each line a JSON object.
    pub fn dialogue(&self) -> String {
        let file = self.directory.path().join("dialogue");
        std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
    }

    /// Waits until a line of the dialogue contains these words; returns the first.
    pub fn spoken(&self, words: &str) -> String {
        let missing = || format!("nobody said {words:?}:\n{}", self.dialogue());
        let said = || {
            let dialogue = self.dialogue();
            let mut lines = dialogue.lines();
            lines.find(|line| line.contains(words)).map(str::to_owned)
        };
        until(missing, said)
    }

    /// Returns the next message, which must come.
    pub fn take(&self) -> Taken {
        let line = self.process.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Returns the next message, if one comes in time.
    pub fn take_within(&self, patience: Duration) -> Option<Taken> {
        let line = self.process.try_line(patience.min(PATIENCE)).ok()?;
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    /// Ends it; returns the messages that were not read, without their files.
    pub fn rest(mut self) -> Vec<Taken> {
        self.process.kill();
        std::iter::from_fn(|| self.take_within(PATIENCE)).collect()
    }
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("no directory: {error}"))
}
