//! What an operator does to a running relay, and what monitors ask of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use serde_json::Value;

use crate::{PATIENCE, Relay, RelayBuilder};

impl Relay {
    /// Runs a command that must be answered with no (exit code 1); what it says on standard
    /// error, on one line.
    pub fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(1),
            "gatepost {arguments:?}: {said}"
        );
        one_line(&said)
    }

    /// SIGHUP: reads the configuration again. What it logged meanwhile.
    pub fn reload(&self) -> String {
        let before = self.log().len();
        self.signal("HUP");
        self.logged_behind(
            before,
            &["configuration reloaded", "configuration not reloaded"],
        )
    }

    /// `gatepost reload` with another configuration, which must be put in use; what it says.
    pub fn reloads(&self, builder: &RelayBuilder) -> Value {
        builder.write(self.directory());
        self.json(&["reload"]).remove(0)
    }

    /// The same with one that must be refused; why it was.
    pub fn refuses_to_reload(&self, builder: &RelayBuilder) -> String {
        builder.write(self.directory());
        self.refuses(&["reload"])
    }

    /// What is on record of a transaction: its events, oldest first.
    pub fn trace(&self, id: &str) -> Vec<Value> {
        self.json(&["trace", id])
    }

    /// The events of one kind of a transaction, such as `attempt`.
    pub fn events(&self, id: &str, kind: &str) -> Vec<Value> {
        let mut events = self.trace(id);
        events.retain(|event| event["event"] == kind);
        events
    }

    /// Every call of a policy about a transaction, in order.
    pub fn judgements(&self, id: &str) -> Vec<Value> {
        let judged = self.events(id, "judged").into_iter();
        judged.map(|mut event| event["judgement"].take()).collect()
    }

    /// Asks over the control socket, as the commands do, but without a process for each question.
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

    /// Asks until the answer is there: for what happens by itself and is announced by nobody.
    pub fn eventually<T>(&self, what: &str, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "never: {what}\n{}", self.log());
        }
    }

    /// Status and body of a page for monitors, such as `/metrics`; the configuration needs
    /// `[http]`.
    pub fn page(&self, path: &str) -> (u16, String) {
        let ask = || {
            let mut stream = TcpStream::connect(self.address("http"))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            write!(stream, "GET {path} HTTP/1.0\r\nHost: relay\r\n\r\n")?;
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

    /// The value of a metric, by its name with labels as it stands in `/metrics`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.page("/metrics");
        let values = text.lines().filter_map(|line| line.strip_prefix(name));
        values.filter_map(|rest| rest.trim().parse().ok()).next()
    }
}

/// A report that was wrapped for a terminal, on one line.
fn one_line(report: &str) -> String {
    let words = report.split_whitespace().filter(|word| *word != "│");
    words.collect::<Vec<_>>().join(" ")
}
