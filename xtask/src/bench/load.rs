//! Load: many sessions at a time, each message in a connection of its own, as smtp-source does by
//! default. The generator is smtp-source itself where Postfix is installed; our own where it is
//! not, and wherever the time to a reply is wanted, which smtp-source does not print.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

const FROM: &str = "ann@sender.example";
const TO: &str = "help@desk.example";

/// HELO name of all senders.
const HELO: &str = "load.example";

/// A load.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Sessions at a time.
    pub sessions: usize,
    /// Messages in all.
    pub messages: u64,
    /// Content of each message.
    pub content: Content,
}

/// Content of a message.
#[derive(Debug, Clone, Copy)]
pub enum Content {
    /// About so many octets.
    Octets(usize),
    /// Contents of a file, whose lines end with a line feed alone, and none of which begins with a
    /// dot.
    File(&'static str),
}

impl Load {
    /// Sends the load; returns the time that took.
    ///
    /// # Errors
    /// Not every message was accepted.
    pub fn send(self, to: SocketAddr) -> Result<Duration> {
        let begun = Instant::now();
        match smtp_source() {
            Some(program) => self.smtp_source(Command::new(program), to)?,
            None => drop(self.timed(to)?),
        }
        Ok(begun.elapsed())
    }

    fn smtp_source(self, mut command: Command, to: SocketAddr) -> Result<()> {
        command.args(["-s", &self.sessions.to_string()]);
        command.args(["-m", &self.messages.to_string()]);
        match self.content {
            Content::Octets(size) => command.args(["-l", &size.to_string()]),
            Content::File(file) => command.args(["-F", file]),
        };
        command.args(["-M", HELO, "-f", FROM, "-t", TO, &to.to_string()]);
        let status = command.status().context("smtp-source does not start")?;
        ensure!(status.success(), "smtp-source: {status}");
        Ok(())
    }

    /// Sends the load with our own generator; returns the wait of each message from its end of data
    /// to its 250.
    ///
    /// # Errors
    /// Not every message was accepted.
    pub fn timed(self, to: SocketAddr) -> Result<Vec<Duration>> {
        let message = self.content.ready()?;
        let taken = AtomicU64::new(0);
        let waits = Mutex::new(Vec::new());
        let session = || {
            let mut own = Vec::new();
            while taken.fetch_add(1, Ordering::AcqRel) < self.messages {
                own.push(send(to, &message)?);
            }
            waits
                .lock()
                .unwrap_or_else(|e| e.into_inner())
                .append(&mut own);
            anyhow::Ok(())
        };
        thread::scope(|scope| {
            let sessions: Vec<_> = (0..self.sessions).map(|_| scope.spawn(session)).collect();
            let mut ends = sessions.into_iter().map(|session| session.join());
            ends.try_for_each(|end| end.unwrap_or_else(|_| anyhow::bail!("a session panicked")))
        })?;
        Ok(waits.into_inner().unwrap_or_else(|e| e.into_inner()))
    }
}

impl Content {
    /// Returns the message with its end of data.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn ready(self) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Octets(size) => message("", size),
            Self::File(file) => {
                let text = fs::read_to_string(file).with_context(|| file.to_owned())?;
                (text.replace('\n', "\r\n") + ".\r\n").into_bytes()
            }
        })
    }
}

/// Looks for smtp-source once, so that its absence is reported once.
fn smtp_source() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| test_support::debian("postfix", "smtp-source"))
        .as_deref()
}

/// Returns a message of about this size with these further header fields, with its end of data, and
/// without lines that begin with a dot.
pub fn message(fields: &str, size: usize) -> Vec<u8> {
    let mut message = format!(
        "From: <{FROM}>\r\nTo: <{TO}>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\
         Message-ID: <1@sender.example>\r\nSubject: performance\r\n{fields}\r\n"
    )
    .into_bytes();
    while message.len() < size {
        message.extend_from_slice(&[b'X'; 78]);
        message.extend_from_slice(b"\r\n");
    }
    message.extend_from_slice(b".\r\n");
    message
}

/// Sends one message in a connection of its own; returns the time from its end of data to the 250.
///
/// # Errors
/// It was not accepted.
pub fn send(to: SocketAddr, message: &[u8]) -> Result<Duration> {
    let mut session = Session::open(to)?;
    session.say(&format!("MAIL FROM:<{FROM}>"), "250")?;
    session.say(&format!("RCPT TO:<{TO}>"), "250")?;
    session.say("DATA", "354")?;
    session.output.write_all(message)?;
    let sent = Instant::now();
    session.reply("250")?;
    let wait = sent.elapsed();
    session.say("QUIT", "221")?;
    Ok(wait)
}

/// A message with an envelope of its own.
#[derive(Debug, Clone)]
pub struct EnvelopedMessage {
    /// Reverse-path; empty for the null one.
    pub from: String,
    /// Recipients.
    pub to: Vec<String>,
    /// Message with its end of data, ready to be sent.
    pub message: Vec<u8>,
}

impl EnvelopedMessage {
    /// Reads a message from a file: its envelope as a line of JSON, then its octets.
    ///
    /// # Errors
    /// The file cannot be read, or has another form.
    pub fn read(file: &Path) -> Result<Self> {
        let octets = fs::read(file)?;
        let mut parts = octets.splitn(2, |&octet| octet == b'\n');
        let envelope = parts.next().unwrap_or_default();
        let envelope: serde_json::Value = serde_json::from_slice(envelope)?;
        let to = envelope["to"].as_array().context("no recipients")?;
        let to = to.iter().filter_map(|address| address.as_str());
        let mut message = Vec::new();
        for line in parts
            .next()
            .unwrap_or_default()
            .split_inclusive(|&o| o == b'\n')
        {
            if line.starts_with(b".") {
                message.push(b'.');
            }
            message.extend_from_slice(line);
        }
        if !message.ends_with(b"\r\n") {
            message.extend_from_slice(b"\r\n");
        }
        message.extend_from_slice(b".\r\n");
        Ok(Self {
            from: envelope["from"].as_str().unwrap_or_default().to_owned(),
            to: to.map(str::to_owned).collect(),
            message,
        })
    }
}

/// Offers a message in a connection of its own, and accepts any reply.
///
/// # Errors
/// The connection fails.
pub fn offer(to: SocketAddr, mail: &EnvelopedMessage) -> Result<()> {
    let mut session = Session::open(to)?;
    if session.try_say(&format!("MAIL FROM:<{}>", mail.from))? {
        for address in &mail.to {
            session.try_say(&format!("RCPT TO:<{address}>"))?;
        }
        if session.try_say("DATA")? {
            session.output.write_all(&mail.message)?;
            session.answered()?;
        }
    }
    session.try_say("QUIT")?;
    Ok(())
}

/// A session after HELO.
#[derive(Debug)]
pub struct Session {
    input: BufReader<TcpStream>,
    output: TcpStream,
}

impl Session {
    /// Connects and sends HELO.
    ///
    /// # Errors
    /// The relay refuses.
    pub fn open(to: SocketAddr) -> Result<Self> {
        let output = TcpStream::connect(to)?;
        output.set_nodelay(true)?;
        output.set_read_timeout(Some(Duration::from_secs(60)))?;
        let input = BufReader::new(output.try_clone()?);
        let mut session = Self { input, output };
        session.reply("220")?;
        session.say(&format!("HELO {HELO}"), "250")?;
        Ok(session)
    }

    fn say(&mut self, line: &str, expected: &str) -> Result<()> {
        self.output.write_all(format!("{line}\r\n").as_bytes())?;
        self.reply(expected)
    }

    /// Sends a line; returns true if the reply is positive.
    fn try_say(&mut self, line: &str) -> Result<bool> {
        self.output.write_all(format!("{line}\r\n").as_bytes())?;
        self.answered()
    }

    /// Reads a reply; returns true if it is positive.
    fn answered(&mut self) -> Result<bool> {
        let mut line = String::new();
        self.input.read_line(&mut line)?;
        Ok(line.starts_with('2') || line.starts_with('3'))
    }

    /// Reads a reply: after HELO without extensions, each is one line.
    fn reply(&mut self, expected: &str) -> Result<()> {
        let mut line = String::new();
        self.input.read_line(&mut line)?;
        ensure!(
            line.starts_with(expected),
            "{expected} was expected, and not {line:?}"
        );
        Ok(())
    }
}
