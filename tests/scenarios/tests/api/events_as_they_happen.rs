//! Events come as they happen, to a token of an account its own alone, and none is missed by who comes
//! again.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};
use test_support::{PATIENCE, Relay, Sink};

use crate::{account, with_api};

/// Lines of a stream.
struct Lines(BufReader<TcpStream>);

impl Lines {
    fn open(relay: &Relay, token: &str, path: &str, fields: &str) -> Self {
        let mut stream = TcpStream::connect(relay.address("api")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "GET /api/v1/events/stream{path} HTTP/1.1\r\nHost: relay\r\n\
             Authorization: Bearer {token}\r\n{fields}\r\n"
        )
        .unwrap();
        let mut lines = Self(BufReader::new(stream));
        assert_eq!(lines.line().unwrap(), "HTTP/1.1 200 OK");
        // It has begun: what happens from now on comes.
        while lines.line().unwrap() != ": events" {}
        lines
    }

    /// Reads a line; `None` at the end of the stream.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Reads the next event: its id, its kind, and what it tells.
    fn event(&mut self) -> (String, String, Value) {
        let (mut id, mut kind) = (String::new(), String::new());
        loop {
            let line = self.line().expect("the stream goes on");
            if let Some(text) = line.strip_prefix("id: ") {
                text.clone_into(&mut id);
            } else if let Some(text) = line.strip_prefix("event: ") {
                text.clone_into(&mut kind);
            } else if let Some(text) = line.strip_prefix("data: ") {
                return (id, kind, serde_json::from_str(text).unwrap());
            }
        }
    }
}

#[test]
fn a_stream_has_the_events_of_its_token_and_ends_with_the_relay() {
    let sink = Sink::start();
    let mut relay = with_api(&sink).start();
    let site = relay.api_token("administer", &[]);
    let a = account(&relay, &site, "a.desk.test");
    let b = account(&relay, &site, "b.desk.test");
    let of_a = relay.api_token("read", &["--account", &a]);
    let switch = |relay: &Relay, account: &str, what: &str| {
        let path = format!("/accounts/{account}/{what}");
        relay.api("POST", &path, &site, &json!({})).with_status(200);
    };
    switch(&relay, &a, "hold");
    let mut all = Lines::open(&relay, &site, "", "");
    let mut own = Lines::open(&relay, &of_a, "", "");
    switch(&relay, &b, "hold");
    switch(&relay, &a, "release");
    let (_, kind, event) = all.event();
    assert_eq!(
        (kind.as_str(), &event["account"]),
        ("notice", &Value::from(b.as_str()))
    );
    let (last, _, event) = all.event();
    assert_eq!(event["account"], a);
    // The token of one account does not even see that another has events.
    let (id, _, event) = own.event();
    assert_eq!(
        (id, &event["account"]),
        (last.clone(), &Value::from(a.as_str()))
    );
    assert_eq!(event["seq"].to_string(), last);

    // Whoever comes again gets what it has missed, and a page goes on where a stream was.
    drop(own);
    switch(&relay, &a, "hold");
    let mut again = Lines::open(
        &relay,
        &of_a,
        "?kinds=notice",
        &format!("Last-Event-ID: {last}\r\n"),
    );
    let (id, _, event) = again.event();
    assert!(id.parse::<u64>().unwrap() > last.parse().unwrap());
    assert_eq!(event["account"], a);
    let page = relay
        .api("GET", "/events?limit=1", &of_a, &Value::Null)
        .with_status(200);
    let cursor = page.text_of("next");
    let rest = relay.api(
        "GET",
        &format!("/events?cursor={cursor}"),
        &of_a,
        &Value::Null,
    );
    let rest = rest.with_status(200).body;
    assert_eq!(rest["items"].as_array().unwrap().len(), 2);
    let path = format!("/events/stream?account={b}");
    relay
        .api("GET", &path, &of_a, &Value::Null)
        .with_status(404);
    relay
        .api("GET", "/events/stream?kinds=lost", &of_a, &Value::Null)
        .with_status(400);

    let status = relay.terminate();
    assert!(status.success(), "{status}");
    while all.line().is_some() {}
    while again.line().is_some() {}
    drop(sink);
}
