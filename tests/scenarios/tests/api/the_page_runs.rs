//! Each request that the page on the API shows is answered as the page says.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use test_support::{ApiAnswer, PATIENCE, Relay, Sink, workspace};

use crate::with_api;

/// Address of the API on the page.
const ADDRESS: &str = "http://127.0.0.1:8025/api/v1";

/// Entity tag on the page, in the place of one that the relay makes.
const TAG: &str = "9vRmS2…";

/// A command of the page: `curl` with what it sends.
#[derive(Debug, Default)]
struct Curl {
    method: Option<String>,
    fields: String,
    body: String,
    path: String,
    /// True if the answer has no end.
    is_stream: bool,
}

/// Splits a command into its words, as a shell does.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Curl {
    fn parse(command: &str) -> Self {
        let mut words = words(command).into_iter().skip(1);
        let mut curl = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-X" => curl.method = words.next(),
                "-H" => curl.fields += &format!("{}\r\n", words.next().unwrap()),
                "-d" => curl.body = words.next().unwrap(),
                "-N" => curl.is_stream = true,
                "-i" => {}
                url => url
                    .strip_prefix(ADDRESS)
                    .unwrap()
                    .clone_into(&mut curl.path),
            }
        }
        curl
    }

    fn send(&self, relay: &Relay) -> ApiAnswer {
        let usual = if self.body.is_empty() { "GET" } else { "POST" };
        let method = self.method.as_deref().unwrap_or(usual);
        relay.api_with(method, &self.path, &self.fields, self.body.as_bytes())
    }

    /// Reads the beginning of an answer without an end: its status line.
    fn begin(&self, relay: &Relay) -> String {
        let mut stream = TcpStream::connect(relay.address("api")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (path, fields) = (&self.path, &self.fields);
        write!(
            stream,
            "GET /api/v1{path} HTTP/1.1\r\nHost: relay\r\n{fields}\r\n"
        )
        .unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    }
}

/// Returns the commands of a page that send requests, each on one line.
fn commands(page: &str) -> Vec<String> {
    let joined = page.replace("\\\n    ", "");
    let lines = joined
        .lines()
        .filter_map(|line| line.strip_prefix("$ curl "));
    lines.map(|line| format!("curl {line}")).collect()
}

#[test]
fn every_request_on_the_page_succeeds() {
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let token = relay.api_token("administer", &[]);
    let page = fs::read_to_string(workspace().join("docs/api.md")).unwrap();
    let commands = commands(&page);
    assert!(commands.len() >= 6, "{commands:?}");
    let mut tag = String::new();
    for command in commands {
        let command = command.replace("$TOKEN", &token).replace(TAG, &tag);
        let curl = Curl::parse(&command);
        if curl.is_stream {
            let line = curl.begin(&relay);
            assert!(line.starts_with("HTTP/1.1 200 "), "{command}: {line}");
            continue;
        }
        let answer = curl.send(&relay);
        assert!((200..300).contains(&answer.status), "{command}: {answer:?}");
        if let Some(seen) = answer.fields.get("etag") {
            seen.trim_matches('"').clone_into(&mut tag);
        }
    }
    relay.leaves_nothing(sink);
}
