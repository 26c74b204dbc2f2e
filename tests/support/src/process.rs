//! A child process whose output is read line by line, and which does not outlive its owner.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::PATIENCE;

/// Returns the relay's binary: `$GATEPOST_BIN`, or the one beside the running test or task.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("GATEPOST_BIN") {
        return PathBuf::from(path);
    }
    let this = std::env::current_exe().unwrap_or_else(|error| panic!("no own path: {error}"));
    let found = this
        .ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join("gatepost"));
    let found = found.into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "no gatepost beside {}: run `cargo xtask test`",
            this.display()
        )
    })
}

/// Returns a command that runs the relay's binary. Policies that it compiles are kept beside it for
/// the commands of all tests, and not in the home of whoever runs them.
pub fn gatepost() -> Command {
    gatepost_at(&binary())
}

/// Returns a command that runs this binary of the relay.
pub(crate) fn gatepost_at(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some(folder) = program.parent().and_then(|of| of.canonicalize().ok()) {
        command.env("XDG_CACHE_HOME", folder.join("cache-of-commands"));
    }
    command
}

/// Runs the relay's binary with these arguments to its end.
pub fn run(arguments: &[&str]) -> Output {
    let output = gatepost().args(arguments).output();
    output.unwrap_or_else(|error| panic!("gatepost {arguments:?}: {error}"))
}

/// A running child.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    /// Lines of standard output; whoever waits for one, in whichever thread, takes it.
    lines: Mutex<Receiver<String>>,
    log: Arc<Log>,
}

/// Standard error of a child so far, and the waiters for more of it.
#[derive(Debug, Default)]
struct Log {
    text: Mutex<String>,
    /// Set when the child has closed it.
    ended: AtomicBool,
    grown: Condvar,
}

impl Log {
    fn text(&self) -> MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Process {
    /// Starts it. Standard output is read by [`Process::line`], standard error is kept.
    pub fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let (sender, lines) = channel();
        let log = Arc::<Log>::default();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        if let Some(stderr) = child.stderr.take() {
            let log = log.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let mut text = log.text();
                    text.push_str(&line);
                    text.push('\n');
                    log.grown.notify_all();
                }
                let _text = log.text();
                log.ended.store(true, Ordering::Release);
                log.grown.notify_all();
            });
        }
        Self {
            name: name.into(),
            child,
            lines: Mutex::new(lines),
            log,
        }
    }

    /// Returns the next line of standard output.
    pub fn line(&self) -> String {
        match self.try_line(PATIENCE) {
            Ok(line) => line,
            Err(why) => panic!(
                "{} says nothing ({why:?}); its log:\n{}",
                self.name,
                self.log()
            ),
        }
    }

    /// Returns the next line of standard output, if one comes in time.
    ///
    /// # Errors
    /// The time is up, or the process has ended.
    pub fn try_line(&self, patience: Duration) -> Result<String, RecvTimeoutError> {
        (self.lines.lock().unwrap_or_else(|e| e.into_inner())).recv_timeout(patience)
    }

    /// Returns its standard error so far.
    pub fn log(&self) -> String {
        self.log.text().clone()
    }

    /// Waits for its end; returns all its standard error.
    pub fn whole_log(&self) -> String {
        let open = |_: &mut String| !self.log.ended.load(Ordering::Acquire);
        let waited = (self.log.grown).wait_timeout_while(self.log.text(), PATIENCE, open);
        let (text, waited) = waited.unwrap_or_else(|e| e.into_inner());
        assert!(!waited.timed_out(), "{} does not end:\n{text}", self.name);
        text.clone()
    }

    /// Waits until its standard error has these words, or it ends; returns true if they are there.
    pub fn logs(&self, words: &str) -> bool {
        let ended = || self.log.ended.load(Ordering::Acquire);
        let missing = |text: &mut String| !text.contains(words) && !ended();
        let waited = (self.log.grown).wait_timeout_while(self.log.text(), PATIENCE, missing);
        let (text, _) = waited.unwrap_or_else(|e| e.into_inner());
        text.contains(words)
    }

    /// Waits until its standard error has these words; returns the first line with them.
    pub fn logged(&self, words: &str) -> String {
        let text = self.logged_behind(0, &[words]);
        let line = text.lines().find(|line| line.contains(words));
        line.unwrap_or_default().to_owned()
    }

    /// Waits until its standard error has one of these words behind the first `from` bytes; returns
    /// all text behind them.
    pub fn logged_behind(&self, from: usize, words: &[&str]) -> String {
        let text = self.log.text();
        let there = |text: &str| words.iter().any(|words| text[from..].contains(words));
        let ended = || self.log.ended.load(Ordering::Acquire);
        let missing = |text: &mut String| !there(text) && !ended();
        let waited = self.log.grown.wait_timeout_while(text, PATIENCE, missing);
        let (text, _) = waited.unwrap_or_else(|e| e.into_inner());
        assert!(
            there(&text),
            "{} does not log any of {words:?}:\n{text}",
            self.name
        );
        text[from..].to_owned()
    }

    /// Returns its peak resident memory so far, in bytes (`VmHWM`).
    pub fn peak_memory(&self) -> u64 {
        let file = format!("/proc/{}/status", self.id());
        let status = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}"));
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.unwrap_or_else(|| panic!("no VmHWM in {file}:\n{status}")) * 1024
    }

    /// Returns its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([format!("-{signal}"), self.id().to_string()])
            .stderr(Stdio::null())
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "kill -{signal} {}",
            self.name
        );
    }

    /// Kills it as `kill -9` does and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return status,
                Ok(None) if begun.elapsed() < PATIENCE => {
                    // Waiting for a child has no time-out of its own.
                    std::thread::sleep(Duration::from_millis(2));
                }
                other => panic!(
                    "{} does not end ({other:?}); its log:\n{}",
                    self.name,
                    self.log()
                ),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("---- log of {} ----\n{}", self.name, self.log());
        }
    }
}
