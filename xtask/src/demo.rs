//! The demonstration: a real relay, two sinks behind it, and the fixture messages sent through.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Result, bail};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;
use test_support::{Client, Fixture, Relay, RelayBuilder, Reply, Sink, Taken, fixtures};

/// Sends every fixture, waits for its delivery, prints the table, and fails if any result differs
/// from the expected one.
pub fn run() -> Result<()> {
    eprintln!("== starting the relay and two sinks, application and smarthost");
    let hops = BTreeMap::from([("application", Sink::start()), ("smarthost", Sink::start())]);
    let relay =
        RelayBuilder::fixtures(hops["application"].address(), hops["smarthost"].address()).start();
    let fixtures = fixtures();
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(150);
    table.set_header([
        "message",
        "what the policies said",
        "reply",
        "where it went",
    ]);
    let mut surprises = Vec::new();
    for (index, fixture) in fixtures.iter().enumerate() {
        eprint!("\r== sending {} of {} … ", index + 1, fixtures.len());
        std::io::stderr().flush()?;
        let result = send(fixture, &relay, &hops)?;
        table.add_row([
            format!("{}\n{}", fixture.name, fixture.shows),
            result.said.join("\n"),
            format!("{} {}", result.reply.code, result.reply.text()),
            result.arrival(),
        ]);
        surprises.extend(
            result
                .surprises(fixture)
                .into_iter()
                .map(|s| format!("{}: {s}", fixture.name)),
        );
    }
    eprintln!("done");
    println!("{table}");
    if surprises.is_empty() {
        println!(
            "All {} messages had the expected disposition.",
            fixtures.len()
        );
        return Ok(());
    }
    for surprise in &surprises {
        eprintln!("UNEXPECTED {surprise}");
    }
    bail!(
        "{} of the demonstration's expectations were not met",
        surprises.len()
    )
}

/// Result of a fixture.
struct FixtureResult {
    reply: Reply,
    /// One line for each call of a policy.
    said: Vec<String>,
    delivered: Option<(String, Taken)>,
}

fn send(fixture: &Fixture, relay: &Relay, hops: &BTreeMap<&str, Sink>) -> Result<FixtureResult> {
    let mut client = match &fixture.user {
        Some((user, password)) => {
            Client::greeted(relay.address(&fixture.listener)).authenticated(user, password)
        }
        None => {
            let mut client = relay.client(&fixture.listener);
            client.ehlo();
            client
        }
    };
    let recipients: Vec<&str> = fixture.rcpt_to.iter().map(String::as_str).collect();
    let reply = client.deliver(&fixture.mail_from, &recipients, &fixture.message())?;
    // An accepted message is waited for at the hop where it is due; if it goes elsewhere it is
    // missed there, and reported.
    let due = fixture.expect.hop.as_deref().filter(|_| reply.code == 250);
    let delivered = due.and_then(|hop| {
        let taken = hops.get(hop)?.take_within(test_support::PATIENCE)?;
        Some((hop.to_owned(), taken))
    });
    let said = judgements(relay, &reply);
    Ok(FixtureResult {
        reply,
        said,
        delivered,
    })
}

/// Reads the judgements from the relay's trace, by the transaction id in the reply.
fn judgements(relay: &Relay, reply: &Reply) -> Vec<String> {
    let text = reply.text();
    let mut words = text.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    let Some(id) = words.rfind(|word| word.len() == 36) else {
        return vec!["(the reply names no transaction)".into()];
    };
    let events = relay.json(&["trace", id]);
    let calls = events
        .iter()
        .filter_map(|event| find(event, "policy").map(|_| event))
        .map(line);
    let mut said: Vec<String> = Vec::new();
    for call in calls {
        if !said.contains(&call) {
            said.push(call);
        }
    }
    said
}

/// Returns a line such as `loop-guard: reject — 101 Received fields, and the limit is 100`.
fn line(event: &Value) -> String {
    let text = |name| {
        find(event, name)
            .and_then(Value::as_str)
            .unwrap_or("?")
            .to_owned()
    };
    let verdict = match find(event, "verdict") {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Object(object)) => object.keys().next().cloned().unwrap_or_default(),
        _ => "?".into(),
    };
    let reasons: Vec<&str> = find(event, "reasons")
        .and_then(Value::as_array)
        .map(|reasons| reasons.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut line = format!("{} ({}): {verdict}", text("policy"), text("hook"));
    if !reasons.is_empty() {
        line += &format!(" — {}", reasons.join("; "));
    }
    line
}

/// Returns the first member of that name at any depth of the event.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(object) => object
            .get(name)
            .or_else(|| object.values().find_map(|inner| find(inner, name))),
        Value::Array(array) => array.iter().find_map(|inner| find(inner, name)),
        _ => None,
    }
}

impl FixtureResult {
    fn arrival(&self) -> String {
        match &self.delivered {
            Some((hop, taken)) => format!("{hop}: {}", taken.to.join(", ")),
            None => "nowhere".into(),
        }
    }

    /// Returns all differences from what the fixture expects.
    fn surprises(&self, fixture: &Fixture) -> Vec<String> {
        let expect = &fixture.expect;
        let mut surprises = Vec::new();
        if self.reply.code != expect.code {
            surprises.push(format!(
                "reply {} instead of {}",
                self.reply.code, expect.code
            ));
        }
        if let Some(reason) = &expect.reason
            && !self.said.iter().any(|line| line.contains(reason))
        {
            surprises.push(format!("no policy said {reason:?}"));
        }
        match (&expect.hop, &self.delivered) {
            (None, None) => {}
            (Some(hop), None) => surprises.push(format!("it never came to {hop}")),
            (_, Some((_, taken))) => {
                surprises.extend(fixture.arrival_surprises(taken));
            }
        }
        surprises
    }
}
