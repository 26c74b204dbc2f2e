//! The dialogue as it was, one JSON object a line, without secrets.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use parking_lot::Mutex;
use serde::Serialize;

/// Log of the dialogues of all connections, if one is wanted.
pub(crate) struct DialogueLog(Option<Mutex<File>>);

/// Line of the log.
#[derive(Serialize)]
struct DialogueLine<'a> {
    connection: u64,
    #[serde(flatten)]
    what: Said<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Said<'a> {
    Client(&'a str),
    Server(&'a str),
    #[serde(untagged)]
    Event {
        event: &'a str,
        detail: &'a str,
    },
}

impl DialogueLog {
    pub(crate) fn new(file: Option<&Path>) -> io::Result<Self> {
        let file = file.map(File::create).transpose()?;
        Ok(Self(file.map(Mutex::new)))
    }

    /// Logs a line of the client, which holds no secret.
    pub(crate) fn client(&self, connection: u64, line: &str) {
        self.write(connection, Said::Client(line));
    }

    /// Logs a command: that of AUTH without its initial response.
    pub(crate) fn command(&self, connection: u64, line: &str) {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some(verb), Some(mechanism), Some(response))
                if verb.eq_ignore_ascii_case("AUTH") && response != "=" =>
            {
                self.client(connection, &format!("{verb} {mechanism} ***"));
            }
            _ => self.client(connection, line),
        }
    }

    /// Logs a response of an exchange: only that it is empty or a cancellation is shown.
    pub(crate) fn response(&self, connection: u64, line: &str) {
        let shown = if matches!(line, "" | "*") {
            line
        } else {
            "***"
        };
        self.client(connection, shown);
    }

    /// Logs a line of the server.
    pub(crate) fn server(&self, connection: u64, line: &str) {
        self.write(connection, Said::Server(line));
    }

    /// Logs an event that is no line.
    pub(crate) fn event(&self, connection: u64, event: &str, detail: &str) {
        self.write(connection, Said::Event { event, detail });
    }

    fn write(&self, connection: u64, what: Said<'_>) {
        let Some(file) = &self.0 else { return };
        let line = serde_json::to_string(&DialogueLine { connection, what });
        let written = line
            .map_err(io::Error::other)
            .and_then(|line| file.lock().write_all(format!("{line}\n").as_bytes()));
        if let Err(error) = written {
            tracing::warn!(%error, "cannot write the dialogue");
        }
    }
}
