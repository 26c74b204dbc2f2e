//! A configuration that cannot be put in use as a whole is not put in use at all: the answer names
//! every problem with its line, the exit code is 1, and everything stays as it was.

use test_support::{RelayBuilder, Sink, hostile_file};

use crate::MESSAGE;

#[test]
fn nothing_of_a_refused_configuration_is_activated() {
    const DOMAINS: &str = "domains = [\"desk.example\"]";
    let sink = Sink::start();
    let usual = RelayBuilder::usual(sink.address());
    let relay = usual.clone().start();
    let taken = sink.address();
    // Each would take desk.example from its account.
    let wrong = usual
        .clone()
        .replace(DOMAINS, "domains = [\"other.example\"]");
    let broken = hostile_file("traps_at_load");
    for (builder, says) in [
        (
            wrong
                .clone()
                .with("[relay]\nhostname = \"mx.desk.example\"\nstore = \"elsewhere\""),
            "no relay is running on the store",
        ),
        (
            wrong.clone().with("[log]\nformat = \"json\""),
            "log.format cannot change while the relay runs",
        ),
        (
            wrong.clone().with("[directory]\nkey-ring = \"elsewhere\""),
            "directory.key-ring cannot change while the relay runs",
        ),
        (
            wrong.clone().with(&format!(
                "[[listener]]\nname = \"more\"\naddress = \"{taken}\"\ndirection = \"inbound\""
            )),
            "cannot listen on",
        ),
        (
            wrong
                .clone()
                .with(&format!("[[policy]]\nname = \"bad\"\nfile = {broken:?}")),
            "a probe call of its message hook",
        ),
        (
            wrong.clone().with("ca-file = \"nowhere.pem\""),
            "nowhere.pem",
        ),
        (
            wrong.clone().with("[limits]\nrecipients = 0"),
            "recipients is 0",
        ),
        (wrong.with("["), "unquoted keys cannot be empty"),
    ] {
        let said = relay.refuses_to_reload(&builder);
        assert!(said.contains(says), "{says} is not in\n{said}");
        let mut client = relay.client("mx");
        client.ehlo();
        let to = ["x@desk.example"];
        let reply = client.deliver("ann@sender.example", &to, MESSAGE).unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        sink.take();
    }
    // Commands read the file, too.
    usual.write(relay.directory());
    relay.leaves_nothing(sink);
}

/// All problems of one kind at once, each at its line.
#[test]
fn every_problem_is_reported_with_its_line() {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address());
    let relay = builder.clone().start();
    let file = builder
        .with("ca-file = \"nowhere.pem\"")
        .with(&format!(
            "[[listener]]\nname = \"more\"\naddress = \"{}\"\ndirection = \"inbound\"",
            sink.address()
        ))
        .write(relay.directory());
    let text = std::fs::read_to_string(file).unwrap();
    let line = |start: &str| {
        let before = text.lines().position(|line| line.starts_with(start));
        before.unwrap_or_else(|| panic!("{start} is not in\n{text}")) + 1
    };
    let output = relay.command(&["reload", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = said["problems"].as_array().unwrap();
    let lines: Vec<_> = problems.iter().map(|problem| &problem["line"]).collect();
    let address = format!("address = \"{}\"", sink.address());
    assert_eq!(lines, [line("ca-file"), line(&address)], "{said}");
    assert_eq!(said["applied"], false);

    let logged = relay.reload();
    assert!(logged.contains("configuration not reloaded"), "{logged}");
    relay.leaves_nothing(sink);
}
