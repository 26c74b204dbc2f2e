//! Operators' actions on a running relay, and requests of monitors.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use serde_json::Value;

use crate::{PATIENCE, Relay, RelayBuilder};

impl Relay {
    /// Runs a command that must fail with exit code 1; returns its standard error on one line.
    pub fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(1),
            "gatepost {arguments:?}: {errors}"
        );
        one_line(&errors)
    }

    /// Sends SIGHUP to reload the configuration; returns what the relay logged meanwhile.
    pub fn reload(&self) -> String {
        let before = self.log().len();
        self.signal("HUP");
        self.logged_behind(
            before,
            &["configuration reloaded", "configuration not reloaded"],
        )
    }

    /// Runs `gatepost reload` with another configuration, which must be activated; returns its
    /// output.
    pub fn reloads(&self, builder: &RelayBuilder) -> Value {
        builder.write(self.directory());
        self.json(&["reload"]).remove(0)
    }

    /// Runs `gatepost reload` with a configuration that must be refused; returns the reason.
    pub fn refuses_to_reload(&self, builder: &RelayBuilder) -> String {
        builder.write(self.directory());
        self.refuses(&["reload"])
    }

    /// Returns the recorded events of a transaction, oldest first.
    pub fn trace(&self, id: &str) -> Vec<Value> {
        self.json(&["trace", id])
    }

    /// Returns the events of one kind of a transaction, such as `attempt`.
    pub fn events(&self, id: &str, kind: &str) -> Vec<Value> {
        let mut events = self.trace(id);
        events.retain(|event| event["event"] == kind);
        events
    }

    /// Returns every call of a policy about a transaction, in order.
    pub fn judgements(&self, id: &str) -> Vec<Value> {
        let judged = self.events(id, "judged").into_iter();
        judged.map(|mut event| event["judgement"].take()).collect()
    }

    /// Sends a request over the control socket, as the commands do, but without a process for each.
    pub fn ask(&self, request: &Value) -> Value {
        let ask = || {
            let mut stream = UnixStream::connect(self.directory().join("store/control.sock"))?;
            writeln!(stream, "{request}")?;
            let mut answer = String::new();
            BufReader::new(stream).read_line(&mut answer)?;
            std::io::Result::Ok(serde_json::from_str(&answer)?)
        };
        ask().unwrap_or_else(|error| panic!("{request}: {error}"))
    }

    /// Asks until the answer is there: for changes that nothing announces.
    pub fn eventually<T>(&self, what: &str, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "never: {what}\n{}", self.log());
        }
    }

    /// Returns status and body of a page for monitors, such as `/metrics`; the configuration needs
    /// `[http]`.
    pub fn page(&self, path: &str) -> (u16, String) {
        self.page_with(path, "")
    }

    /// Returns the same for a request with these header fields, each with CRLF at its end.
    pub fn page_with(&self, path: &str, fields: &str) -> (u16, String) {
        let ask = || {
            let mut stream = TcpStream::connect(self.address("http"))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            write!(stream, "GET {path} HTTP/1.0\r\nHost: relay\r\n{fields}\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            std::io::Result::Ok(answer)
        };
        let answer = ask().unwrap_or_else(|error| panic!("{path}: {error}"));
        let parts = answer.split_once("\r\n\r\n").and_then(|(head, body)| {
            let status = head.split(' ').nth(1)?.parse().ok()?;
            Some((status, body.to_owned()))
        });
        parts.unwrap_or_else(|| panic!("{path}: {answer}"))
    }

    /// Returns the value of a metric, by its name with labels as in `/metrics`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.page("/metrics");
        let values = text.lines().filter_map(|line| line.strip_prefix(name));
        values.filter_map(|rest| rest.trim().parse().ok()).next()
    }
}

/// Puts a report that was wrapped for a terminal on one line.
fn one_line(report: &str) -> String {
    let words = report.split_whitespace().filter(|word| *word != "│");
    words.collect::<Vec<_>>().join(" ")
}
