//! The real binary, with a store, a certificate and a configuration of its own.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::gatepost_at;
use crate::{Certificate, Client, Process, Sink, binary};

/// Settings from which a relay is started.
#[derive(Debug, Clone)]
pub struct RelayBuilder {
    config: String,
    environment: Vec<(String, String)>,
    directory: Option<PathBuf>,
    program: Option<PathBuf>,
    /// Line of the configuration.
    min_free: &'static str,
}

/// A running `gatepost serve`.
#[derive(Debug)]
pub struct Relay {
    builder: RelayBuilder,
    process: Process,
    addresses: BTreeMap<String, SocketAddr>,
    directory: PathBuf,
    // Dropped after the process.
    _temporary: Option<TempDir>,
}

impl RelayBuilder {
    /// Begins with this configuration. `[relay]`, `[log-ins]` and `[tls]` are put in front unless
    /// it has its own; `[tls]` not beside `[acme]` either. `{dir}` in the text is the relay's own directory.
    pub fn new(config: impl Into<String>) -> Self {
        Self {
            config: config.into(),
            environment: Vec::new(),
            directory: None,
            program: None,
            min_free: "min-free = \"1MiB\"\n",
        }
    }

    /// Begins with the configuration of most scenarios: account `acme` with `desk.example` and the
    /// user `user`/`secret`, listeners `mx` and `submission` with STARTTLS and the built-in
    /// policies, and a sink as default route. The account also sends as `sender.example`, the
    /// domain of the scenarios' messages, so that one message serves for both listeners.
    pub fn usual(next_hop: SocketAddr) -> Self {
        Self::new(format!(
            r#"
            [[account]]
            id = "acme"
            domains = ["desk.example"]
            sending-domains = ["sender.example"]
            users = [{{ name = "user", password = "secret" }}]
            [[listener]]
            name = "mx"
            address = "127.0.0.1:0"
            direction = "inbound"
            chain = ["loop-guard", "header-guard", "outbound-route"]
            [[listener]]
            name = "submission"
            address = "127.0.0.1:0"
            direction = "submission"
            chain = ["loop-guard", "header-guard", "outbound-route"]
            [delivery]
            default-route = {{ host = "{}", port = {}, tls = "none" }}
            retry = ["1s"]
            "#,
            next_hop.ip(),
            next_hop.port()
        ))
    }

    /// Begins with the configuration of the fixtures (`tests/fixtures/relay/relay.toml`), with sinks in
    /// the place of the application and of the customer's smart host.
    pub fn fixtures(application: SocketAddr, smarthost: SocketAddr) -> Self {
        let file = crate::workspace().join("tests/fixtures/relay/relay.toml");
        let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        Self::new(text)
            .replace(
                "port = {application}",
                &format!("port = {}", application.port()),
            )
            .replace(
                "port = {smarthost}",
                &format!("port = {}", smarthost.port()),
            )
    }

    /// Appends to the configuration.
    pub fn with(mut self, config: &str) -> Self {
        self.config.push('\n');
        self.config.push_str(config);
        self
    }

    /// Appends a listener for inbound mail whose chain is one module, under the listener's name.
    /// `keys` are further keys of the policy.
    pub fn judged_by(self, name: &str, module: &Path, keys: &str) -> Self {
        self.with(&format!(
            "[[listener]]\nname = {name:?}\naddress = \"127.0.0.1:0\"\n\
             direction = \"inbound\"\nchain = [{name:?}]\n\
             [[policy]]\nname = {name:?}\nfile = {module:?}\n{keys}"
        ))
    }

    /// Replaces a part of the configuration, which must be there.
    pub fn replace(mut self, from: &str, to: &str) -> Self {
        assert!(
            self.config.contains(from),
            "the configuration has no {from:?}"
        );
        self.config = self.config.replace(from, to);
        self
    }

    /// Sets a variable of the relay's environment.
    pub fn environment(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Keeps as much of the disk free as a site does, which bounds the logs of the store, too: for
    /// measurements. Tests run on disks that are nearly full.
    pub fn usual_disk(mut self) -> Self {
        self.min_free = "";
        self
    }

    /// Keeps everything in this directory, which is not removed afterwards.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Runs this binary instead of the tests' own.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Starts it and waits until it is ready.
    pub fn start(self) -> Relay {
        match self.try_start() {
            Ok(relay) => relay,
            Err(log) => panic!("the relay does not start:\n{log}"),
        }
    }

    /// Starts it and waits until it is ready, or has ended.
    ///
    /// # Errors
    /// Its log, when it has ended instead.
    pub fn try_start(self) -> Result<Relay, String> {
        let (directory, temporary) = match &self.directory {
            Some(directory) => (directory.clone(), None),
            None => {
                let temporary =
                    tempfile::tempdir().unwrap_or_else(|error| panic!("no directory: {error}"));
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        self.write(&directory);
        let process = serve(&self, &directory);
        let addresses = ready(&process)?;
        Ok(Relay {
            builder: self,
            process,
            addresses,
            directory,
            _temporary: temporary,
        })
    }

    /// Writes the configuration into a directory, for commands that need no running relay; returns
    /// its file.
    pub fn write(&self, directory: &Path) -> PathBuf {
        let text = self.text(directory);
        let file = directory.join("gatepost.toml");
        fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        file
    }

    fn text(&self, directory: &Path) -> String {
        let mut text = String::new();
        if !self.has("[relay]") {
            text += "[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\n";
            text += self.min_free;
            share_compiled_policies(&directory.join("store"));
        }
        if !self.has("[log-ins]") {
            // Only a scenario about the delay waits for it.
            text += "[log-ins]\ndelay = \"0s\"\n";
        }
        if !self.has("[tls]") && !self.has("[acme]") {
            let tls = Certificate::make(directory);
            text += &format!(
                "[tls]\ncertificate = {:?}\nkey = {:?}\n",
                tls.certificate, tls.key
            );
        }
        text + &self
            .config
            .replace("{dir}", &directory.display().to_string())
    }
}

/// Lets the relays of all tests share compiled policies, in the target folder: compiling them for
/// each would take far longer than the test itself.
pub fn share_compiled_policies(store: &Path) {
    let cache = store.join("cache");
    if cache.exists() {
        return;
    }
    let this = std::env::current_exe().unwrap_or_else(|error| panic!("no own path: {error}"));
    let shared = this.with_file_name("compiled-policies");
    let made = fs::create_dir_all(store)
        .and_then(|()| {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&shared)
        })
        .and_then(|()| symlink(&shared, &cache));
    made.unwrap_or_else(|error| panic!("{}: {error}", cache.display()));
}

impl RelayBuilder {
    fn has(&self, table: &str) -> bool {
        self.config.lines().any(|line| line.trim() == table)
    }
}

fn serve(builder: &RelayBuilder, directory: &Path) -> Process {
    let mut command = Command::new(builder.program.clone().unwrap_or_else(binary));
    command
        .arg("serve")
        .arg("--config")
        .arg(directory.join("gatepost.toml"));
    command
        .env("RUST_LOG", "info")
        .envs(builder.environment.iter().cloned());
    Process::start("relay", &mut command)
}

/// Reads `ready NAME=ADDRESS …`.
fn ready(process: &Process) -> Result<BTreeMap<String, SocketAddr>, String> {
    let line = process.try_line(crate::PATIENCE).map_err(|why| match why {
        std::sync::mpsc::RecvTimeoutError::Timeout => panic!("not ready:\n{}", process.log()),
        std::sync::mpsc::RecvTimeoutError::Disconnected => process.whole_log(),
    })?;
    let words = line
        .strip_prefix("ready")
        .unwrap_or_else(|| panic!("not ready: {line:?}"));
    let addresses = words.split_whitespace().filter_map(|word| {
        let (name, address) = word.split_once('=')?;
        Some((name.to_owned(), address.parse().ok()?))
    });
    Ok(addresses.collect())
}

impl Relay {
    /// Returns the address of a listener, or of `http`.
    pub fn address(&self, name: &str) -> SocketAddr {
        *self
            .addresses
            .get(name)
            .unwrap_or_else(|| panic!("no listener {name}"))
    }

    /// Connects to a listener and reads its greeting.
    pub fn client(&self, listener: &str) -> Client {
        Client::greeted(self.address(listener))
    }

    /// Returns the directory of configuration and store.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns its log so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until it has logged these words; returns the first line with them.
    pub fn logged(&self, words: &str) -> String {
        self.process.logged(words)
    }

    /// Waits until it has logged one of these words behind the first `from` bytes of its log;
    /// returns all text behind them.
    pub fn logged_behind(&self, from: usize, words: &[&str]) -> String {
        self.process.logged_behind(from, words)
    }

    /// Sends a signal by name, such as `HUP`.
    pub fn signal(&self, signal: &str) {
        self.process.signal(signal);
    }

    /// Ends relay and sink, and asserts that no message is left: none came to the sink without
    /// being read by the test, none is queued, and no file of a message remains.
    pub fn leaves_nothing(self, sink: Sink) {
        self.leaves_nothing_at([sink]);
    }

    /// Ends the relay and then these sinks, and asserts the same of each of them. A sink that ended
    /// first would cut off a message whose reply is on its way.
    pub fn leaves_nothing_at<const N: usize>(mut self, sinks: [Sink; N]) {
        let status = self.terminate();
        assert!(status.success(), "{status}:\n{}", self.log());
        for sink in sinks {
            let rest = sink.rest();
            assert!(rest.is_empty(), "more arrived: {rest:?}");
        }
        let queue = self.json(&["queue", "list", "--messages"]);
        assert!(queue.is_empty(), "more is queued: {queue:?}");
        assert_eq!(self.bodies(), 0, "files of messages are left");
    }

    /// Returns the number of message files in its store: large messages, on their way in or out.
    pub fn bodies(&self) -> usize {
        let folder = self.directory.join("store/incoming");
        let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        files.count()
    }

    /// Returns its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Returns the process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Kills it with `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same directory; the listeners' ports are new.
    pub fn restart(&mut self) {
        self.process.kill();
        self.process = serve(&self.builder, &self.directory);
        match ready(&self.process) {
            Ok(addresses) => self.addresses = addresses,
            Err(log) => panic!("the relay does not start again:\n{log}"),
        }
    }

    /// Sends SIGTERM and waits for its end.
    pub fn terminate(&mut self) -> ExitStatus {
        self.process.signal("TERM");
        self.process.wait()
    }

    /// Runs a command of the relay's own binary with its configuration.
    pub fn command(&self, arguments: &[&str]) -> Output {
        let program = self.builder.program.clone().unwrap_or_else(binary);
        let mut command = gatepost_at(&program);
        command.args(arguments).arg("--config");
        let output = command.arg(self.directory.join("gatepost.toml")).output();
        output.unwrap_or_else(|error| panic!("gatepost {arguments:?}: {error}"))
    }

    /// Runs a command with `--json`, which must succeed, and parses each line.
    pub fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.command(&[arguments, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "gatepost {arguments:?}: {text}{errors}"
        );
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        text.lines().map(parse).collect()
    }
}
