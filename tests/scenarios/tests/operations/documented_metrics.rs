//! The operator's book lists the metrics that a relay shows, all of them and no others.

use std::collections::BTreeSet;
use std::fs;

use test_support::{Client, DnsServer, Relay, Sink, Zone, hostile_file, workspace};

use crate::{MESSAGE, accepted, judged_by, send};

/// The hostile policy of the relay traps on it.
const ATTACK: &[u8] = b"From: Ann <ann@sender.example>\r\nX-Attack: now\r\n\r\nHello!\r\n";

/// Connections that one address may have.
const PLACES: usize = 8;

#[test]
fn every_metric_is_documented_and_every_documented_one_is_shown() {
    let sink = Sink::with(&["--fail-rcpt", "nobody"]);
    let dns = DnsServer::start(Zone::new());
    let relay = judged_by("trap", &sink)
        .replace(r#"chain = ["guest"]"#, r#"chain = ["origin", "guest"]"#)
        .with(&format!(
            "[[policy]]\nname = \"origin\"\nfile = {:?}",
            hostile_file("origin")
        ))
        .with(&format!("[dns]\nservers = [\"{}\"]", dns.address()))
        .with("[otlp]\nendpoint = \"http://127.0.0.1:1\"")
        .with("[connection.relay]\nhost = \"smtp.relay.example\"")
        .with("[events.webhook.desk]\nurl = \"https://127.0.0.1:1/events\"\nsecrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]")
        .with("[maildir.desk]\npath = \"desk\"")
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .with("[handover]\naddress = \"127.0.0.1:0\"\nurl = \"http://127.0.0.1\"\ntls = \"none\"")
        .with(&format!("[limits]\nconnections-per-address = {PLACES}"))
        .start();

    let account = [
        "account",
        "add",
        "--native-domain",
        "a.desk.test",
        "--product",
        "Desk",
    ];
    relay.json(&account);
    let nowhere = "https://127.0.0.1:1/partners";
    relay.json(&["partner", "feed", "add", "a.desk.test", nowhere]);

    let mut browser = Client::connect(relay.address("handover")).unwrap();
    browser.send("GET / HTTP/1.0\r\n\r\n").unwrap();
    assert!(browser.rest().unwrap().contains(" 404 "));

    // One of everything: taken and looked into, refused by a
    // faulty policy, once for now and once for good, delivered, returned to its sender, and
    // a client too many.
    accepted(&relay, &["help@desk.example"], MESSAGE);
    sink.take();
    assert_eq!(send(&relay, &["help@desk.example"], ATTACK).code, 451);
    accepted(&relay, &["help@desk.example"], MESSAGE);
    sink.take();
    assert_eq!(send(&relay, &["help@desk.example"], ATTACK).code, 554);
    accepted(&relay, &["nobody@desk.example"], MESSAGE);
    assert_eq!(sink.take().from, "", "a bounce");
    let connect = || Client::connect(relay.address("mx")).unwrap();
    let mut clients: Vec<_> = (0..=PLACES).map(|_| connect()).collect();
    let refused = |client: &mut Client| client.reply().unwrap().code == 421;
    assert!(clients.iter_mut().any(refused), "one is too many");

    let documented = documented();
    relay.eventually("all metrics are shown", |relay| {
        documented.is_subset(&shown(relay)).then_some(())
    });
    assert_eq!(shown(&relay), documented);
    relay.leaves_nothing(sink);
}

/// The names in the book's table.
fn documented() -> BTreeSet<String> {
    let book = fs::read_to_string(workspace().join("docs/operating.md")).unwrap();
    let rows = book.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.filter_map(|row| row.split_once('`')).map(|row| row.0);
    let ours = names.filter(|name| name.starts_with("gatepost_"));
    ours.map(str::to_owned).collect()
}

/// The names of the metrics that have a value.
fn shown(relay: &Relay) -> BTreeSet<String> {
    let (_, page) = relay.page("/metrics");
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}
