//! The guided set-up: it asks, does each step, says what is left, and goes on where it was
//! interrupted.

use std::io::{Read as _, Write as _};
use std::process::{Child, Output, Stdio};

use serde_json::Value;
use test_support::{Client, DnsServer, Relay, RelayBuilder, Sink, Taken, Zone, gatepost};

/// A relay that domains are connected at, its application and its name server.
pub struct Desk {
    pub sink: Sink,
    pub relay: Relay,
    pub dns: DnsServer,
}

/// A relay without accounts of the directory.
pub fn desk() -> Desk {
    let (sink, dns) = (Sink::start(), DnsServer::start(Zone::new()));
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#,
            "chain = []",
        )
        .with(&format!(
            "[dns]\nservers = [\"{}\"]\n[handover]\naddress = \"127.0.0.1:0\"\n\
             url = \"https://mx.desk.example\"\n\
             [destinations]\nallowed-networks = [\"127.0.0.0/8\"]\n",
            dns.address()
        ))
        .start();
    Desk { sink, relay, dns }
}

/// Begins the set-up with these options.
pub fn begin(desk: &Desk, options: &[&str]) -> Child {
    let config = desk.relay.directory().join("gatepost.toml");
    let mut command = gatepost();
    command.args(["connector", "setup"]).args(options);
    command.arg("--config").arg(config);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    pipes.stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs the set-up with these options and answers, one a line.
pub fn set_up(desk: &Desk, options: &[&str], answers: &[&str]) -> Output {
    let mut running = begin(desk, options);
    let lines: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
    let mut input = running.stdin.take().unwrap();
    // It may have ended before it has read all.
    let _ = input.write_all(lines.as_bytes());
    drop(input);
    running.wait_with_output().unwrap()
}

pub fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn asked(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn connectors(desk: &Desk) -> Vec<Value> {
    desk.relay.json(&["connector", "list"])
}

pub fn progress(desk: &Desk) -> Value {
    let id = connectors(desk)[0]["id"].as_str().unwrap().to_owned();
    let shown = desk
        .relay
        .command(&["connector", "progress", &id, "--json"]);
    serde_json::from_slice(&shown.stdout).unwrap()
}

pub fn missing(desk: &Desk) -> Vec<String> {
    let shown = progress(desk);
    let steps = shown["missing"].as_array().unwrap().iter();
    steps
        .map(|of| of["step"].as_str().unwrap().to_owned())
        .collect()
}

/// Delivers a message to an address, which must receive.
fn receives(desk: &Desk, address: &str) {
    let mut client = Client::greeted(desk.relay.address("mx"));
    client.ehlo();
    let message = b"From: <ann@author.example>\r\nSubject: x\r\n\r\nHello!\r\n";
    let reply = client.deliver("ann@author.example", &[address], message);
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(desk.sink.take().to, [address]);
}

#[test]
fn an_interrupted_set_up_goes_on_where_it_was() {
    let desk = desk();
    // The input ends at the question who vouches.
    let first = ["acme.desk.test", "y", "Acme", "customer.test", "two-way"];
    let output = set_up(&desk, &[], &first);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(asked(&output).contains("the input has ended"), "{output:?}");
    assert!(asked(&output).contains("goes on from there"), "{output:?}");
    assert_eq!(connectors(&desk)[0]["state"], "claimed");
    assert_eq!(
        missing(&desk),
        ["ownership", "address", "credential", "connection"]
    );

    // What the account has goes on receiving meanwhile.
    let native = [
        "address",
        "add",
        "--account",
        "acme.desk.test",
        "help@acme.desk.test",
    ];
    desk.relay.json(&native);
    receives(&desk, "help@acme.desk.test");

    // Nothing is asked twice, and an answer that is none is asked again.
    let second = [
        "acme.desk.test",
        "customer.test",
        "maybe",
        "y",
        "not an address",
        "help@customer.test",
        "sales@customer.test",
        "",
        "y",
        "",
        "",
        "help@elsewhere.test",
        "desk@acme.desk.test",
        "postfix",
        "",
    ];
    let output = set_up(&desk, &[], &second);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (printed, questions) = (printed(&output), asked(&output));
    for part in [
        "customer.test is connected as two-way",
        "customer.test is the account's: its addresses receive",
        "added support address help@customer.test",
        "added support address sales@customer.test",
        "desk@acme.desk.test is the default address",
        "link       https://mx.desk.example/handover/",
        "# customer.test at Acme: instructions for Postfix",
        "left to do for customer.test",
    ] {
        assert!(printed.contains(part), "{part}: {printed}{questions}");
    }
    assert!(!printed.contains("gpst_"), "{printed}");
    assert!(questions.contains("answer y or n"), "{questions}");
    assert!(
        questions.contains("help@elsewhere.test is in no domain"),
        "{questions}"
    );
    let account = desk
        .relay
        .json(&["account", "show", "acme.desk.test"])
        .remove(0);
    assert_eq!(
        account["default-address"], "desk@acme.desk.test",
        "{account}"
    );
    assert!(!questions.contains("kind (forwarded"), "{questions}");
    assert_eq!(missing(&desk), ["log-in", "connection"]);
    receives(&desk, "help@acme.desk.test");
    receives(&desk, "help@customer.test");
    desk.relay.leaves_nothing(desk.sink);
}

#[test]
fn a_domain_without_addresses_needs_one_to_finish() {
    let desk = desk();
    let options = ["--account", "acme.desk.test", "--product", "Acme"];
    let domain = ["--domain", "customer.test", "--kind", "outbound-only"];
    let options = [&options[..], &domain, &["--vouch", "--yes"]].concat();
    let output = set_up(&desk, &options, &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let printed = printed(&output);
    assert!(
        printed.contains("add at least one support address to finish"),
        "{printed}"
    );
    assert_eq!(connectors(&desk)[0]["state"], "verified");
    assert_eq!(missing(&desk), ["address", "connection"]);

    let with_address = [&options[..], &["--address", "help@customer.test"]].concat();
    set_up(&desk, &with_address, &[]);
    assert_eq!(missing(&desk), ["connection", "inbound-verification"]);
    assert_eq!(desk.sink.take().to, ["help@customer.test"]);
    // Once more changes nothing, and sends no second probe.
    let output = set_up(&desk, &with_address, &[]);
    let on_its_way = "an inbound probe of help@customer.test is on its way since";
    assert!(
        String::from_utf8_lossy(&output.stdout).contains(on_its_way),
        "{output:?}"
    );
    assert_eq!(connectors(&desk).len(), 1);
    let listed = desk
        .relay
        .json(&["address", "list", "--account", "acme.desk.test"]);
    assert_eq!(listed.len(), 1, "{listed:?}");
    desk.relay.leaves_nothing(desk.sink);
}

#[test]
fn a_script_sets_up_a_forwarded_domain_to_the_end() {
    let desk = desk();
    let file = desk.relay.directory().join("instructions.md");
    let options = [
        "--yes",
        "--account",
        "acme.desk.test",
        "--product",
        "Acme",
        "--domain",
        "customer.test",
        "--kind",
        "forwarded",
        "--address",
        "help@customer.test",
        "--vouch",
    ];
    let output = set_up(&desk, &options, &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        printed(&output).contains("records to publish:"),
        "{output:?}"
    );
    assert_eq!(missing(&desk), ["signature", "inbound-verification"]);

    // The customer publishes the records, and its server forwards the probe.
    publish(&desk);
    forward(&desk, &desk.sink.take());
    let path = file.to_str().unwrap();
    let instructions = [
        "--for",
        "google-workspace",
        "--output",
        path,
        "--wait",
        "1m",
    ];
    let output = set_up(&desk, &[&options[..], &instructions].concat(), &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        printed(&output).contains("customer.test is connected ("),
        "{output:?}"
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("instructions for Google Workspace"), "{text}");
    desk.relay.leaves_nothing(desk.sink);
}

/// Publishes the records of the customer's DKIM keys.
fn publish(desk: &Desk) {
    for key in desk.relay.json(&["dkim", "show", "customer.test"]) {
        let strings = key["record"]["strings"].as_array().unwrap().iter();
        let text: String = strings.map(|part| part.as_str().unwrap()).collect();
        let name = key["record"]["name"].as_str().unwrap();
        desk.dns.zone().txt(name, text);
    }
}

/// Forwards a probe as the customer's server does.
fn forward(desk: &Desk, probe: &Taken) {
    let shown = desk.relay.json(&["address", "show", &probe.to[0]]);
    let target = shown[0]["forwarding-target"].as_str().unwrap();
    let mut client = Client::greeted(desk.relay.address("mx"));
    client.ehlo();
    let reply = client.deliver(&probe.from, &[target], &probe.bytes());
    assert_eq!(reply.unwrap().code, 250);
}

#[test]
fn a_set_up_that_is_interrupted_at_the_verification_goes_on_there() {
    let desk = desk();
    let options = ["--account", "acme.desk.test", "--product", "Acme"];
    let domain = ["--domain", "customer.test", "--kind", "forwarded"];
    let addresses = [
        "--address",
        "help@customer.test",
        "--address",
        "sales@customer.test",
    ];
    let options = [&options[..], &domain, &addresses, &["--vouch"]].concat();
    // Keys are made, and are not looked for yet; the input ends while the probes are on their way.
    let output = set_up(&desk, &options, &["y", "n", "y"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        asked(&output).contains("wait for the probes?"),
        "{output:?}"
    );
    assert!(asked(&output).contains("goes on from there"), "{output:?}");
    let twice = ["inbound-verification", "inbound-verification"];
    assert_eq!(missing(&desk), [&["signature"][..], &twice].concat());
    // The probes are sent side by side.
    let mut probes = [desk.sink.take(), desk.sink.take()];
    probes.sort_by(|one, other| one.to.cmp(&other.to));
    let [help, sales] = probes;
    let shown = progress(&desk);
    assert_eq!(shown["missing"][1]["address"], "help@customer.test");
    assert_eq!(shown["missing"][1]["verification"]["state"], "pending");

    // Meanwhile the customer's server breaks one, and the records are published.
    publish(&desk);
    let broken = help.text().replace("X-Auto-Response-Suppress: All\r\n", "");
    let target = desk.relay.json(&["address", "show", "help@customer.test"]);
    let target = target[0]["forwarding-target"].as_str().unwrap().to_owned();
    let mut client = Client::greeted(desk.relay.address("mx"));
    client.ehlo();
    let reply = client.deliver(&help.from, &[&target], broken.as_bytes());
    assert_eq!(reply.unwrap().code, 250);
    drop(client);
    let missing = progress(&desk)["missing"].take();
    assert_eq!(
        missing[1]["verification"]["reason"], "header-lost",
        "{missing}"
    );
    let what_to_do = missing[1]["what-to-do"].as_str().unwrap();
    let advice = missing[1]["verification"]["check"]["advice"]
        .as_str()
        .unwrap();
    for part in ["(header-lost)", "X-Auto-Response-Suppress", advice] {
        assert!(what_to_do.contains(part), "{what_to_do}");
    }

    // The set-up sends another one in place of that, waits for both, and says what came of them.
    let mut again = begin(&desk, &options);
    let mut questions = again.stderr.take().unwrap();
    let mut input = again.stdin.take().unwrap();
    input.write_all(b"y\ny\ny\n\n\n").unwrap();
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("wait for the probes?") {
        let mut byte = [0];
        assert_eq!(questions.read(&mut byte).unwrap(), 1, "{read:?}");
        read.push(byte[0]);
    }
    forward(&desk, &desk.sink.take());
    forward(&desk, &sales);
    std::io::copy(&mut questions, &mut std::io::sink()).unwrap();
    let output = again.wait_with_output().unwrap();
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for part in [
        "mail is signed for customer.test",
        "help@customer.test is being verified",
        "an inbound probe of sales@customer.test is on its way since",
        "help@customer.test is verified: its mail comes in",
        "sales@customer.test is verified",
        "customer.test is connected (",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    desk.relay.leaves_nothing(desk.sink);
}

#[test]
fn a_script_is_told_which_option_is_missing() {
    let desk = desk();
    let output = set_up(&desk, &["--yes", "--account", "acme.desk.test"], &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(asked(&output).contains("--product is needed"), "{output:?}");
    assert!(desk.relay.json(&["account", "list"]).is_empty());
    desk.relay.leaves_nothing(desk.sink);
}
