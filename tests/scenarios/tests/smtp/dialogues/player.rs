//! Plays a dialogue in the suite's language:
//!
//! | step | meaning |
//! | --- | --- |
//! | `< X` | a reply must come, with one of the codes in `X`: `250\|5xx\|close` |
//! | `> T` | sends `T` and CRLF |
//! | `>> T` | sends `T` |
//! | `>>bdat [LAST] T` | sends BDAT with the number of octets in `T`, then `T` |
//! | `>>* c n` | sends `c` `n` times |
//! | `>>*line "s" n` | sends `s` `n` times |
//! | `*n > T` | sends `T` and CRLF `n` times |
//! | `@byte-by-byte` | from now on each octet is a segment of its own |
//! | `@tls-handshake-if-220` | begins TLS if the last reply was 220 |
//!
//! In `T` and `s` octets may be escaped as in Python.

use test_support::{Client, Relay, Reply, Sink};

/// Dialogues that begin behind AUTH: on a listener for submissions nothing else leads to MAIL
/// (RFC 6409 section 4.3).
const AUTHENTICATED: &[&str] = &["auth-in-transaction"];

/// A dialogue as far as it has gone.
pub struct Stage<'a> {
    /// Its name.
    pub id: &'a str,
    /// The client's side; gone when the relay has closed.
    pub client: Client,
    /// Replies of the relay.
    pub replies: Vec<Reply>,
    /// True once the relay has closed the connection.
    pub closed: bool,
    /// Next hop of the messages.
    pub sink: &'a Sink,
    /// Greeting from before the dialogue began, which is its first reply.
    greeting: Option<Reply>,
    octet_by_octet: bool,
}

impl<'a> Stage<'a> {
    /// Connects: in plaintext to where the world's mail comes in, under TLS to where users submit.
    pub fn enter(id: &'a str, tls: bool, relay: &'a Relay, sink: &'a Sink) -> Self {
        let listener = if tls { "submission" } else { "mx" };
        let mut client = Client::connect(relay.address(listener)).unwrap();
        let mut greeting = None;
        if tls {
            greeting = Some(client.expect(220));
            client.ehlo();
            client.starttls();
        }
        if AUTHENTICATED.contains(&id) {
            client.command("AUTH PLAIN AHVzZXIAc2VjcmV0", 235);
        }
        Self {
            id,
            client,
            replies: Vec::new(),
            closed: false,
            sink,
            greeting,
            octet_by_octet: false,
        }
    }

    /// Plays one step.
    pub fn play(&mut self, step: &str) {
        let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
        let repeated = || {
            let (what, count) = rest.rsplit_once(' ').unwrap();
            unescape(what.trim_matches('"')).repeat(count.parse().unwrap())
        };
        match word {
            "<" => self.hear(rest),
            ">" => self.send(&[unescape(rest), b"\r\n".to_vec()].concat()),
            ">>" => self.send(&unescape(rest)),
            ">>bdat" => {
                let (last, text) = match rest.strip_prefix("LAST ") {
                    Some(text) => (" LAST", text),
                    None => ("", rest),
                };
                let octets = unescape(text);
                let command = format!("BDAT {}{last}\r\n", octets.len());
                self.send(&[command.into_bytes(), octets].concat());
            }
            ">>*" | ">>*line" => self.send(&repeated()),
            "@byte-by-byte" => self.octet_by_octet = true,
            "@tls-handshake-if-220" => {
                if self.last().code == 220 {
                    self.client.secure().unwrap();
                }
            }
            _ => {
                let count = word.strip_prefix('*').and_then(|count| count.parse().ok());
                match (count, rest.strip_prefix("> ")) {
                    (Some(count), Some(line)) => {
                        self.send(&[unescape(line), b"\r\n".to_vec()].concat().repeat(count));
                    }
                    _ => panic!("{}: unknown step {step}", self.id),
                }
            }
        }
    }

    /// The last reply.
    pub fn last(&self) -> &Reply {
        self.replies.last().unwrap()
    }

    fn send(&mut self, octets: &[u8]) {
        let segment = if self.octet_by_octet {
            1
        } else {
            octets.len().max(1)
        };
        for octets in octets.chunks(segment) {
            // Where the relay has closed it may do so before all is sent; the next reply tells.
            let _ = self.client.send(octets);
        }
    }

    fn hear(&mut self, expected: &str) {
        let (codes, _comment) = expected.split_once(" (").unwrap_or((expected, ""));
        let mut codes = codes.split('|');
        let reply = match self.greeting.take() {
            Some(greeting) => Ok(greeting),
            None => self.client.reply(),
        };
        match reply {
            Ok(reply) => {
                let code = reply.code.to_string();
                let fits = |expected: &str| code.starts_with(expected.trim_end_matches("xx"));
                assert!(codes.any(fits), "{}: {reply:?}, not {expected}", self.id);
                self.replies.push(reply);
            }
            Err(error) => {
                let close = codes.any(|code| code == "close");
                assert!(close, "{}: {error}, not {expected}", self.id);
                self.closed = true;
            }
        }
    }
}

/// Python's escapes, as far as the suite uses them.
fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            octets.extend(character.to_string().bytes());
            continue;
        }
        octets.push(match characters.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('x') => {
                let hex: String = characters.by_ref().take(2).collect();
                u8::from_str_radix(&hex, 16).unwrap()
            }
            other => panic!("unknown escape {other:?} in {text}"),
        });
    }
    octets
}
