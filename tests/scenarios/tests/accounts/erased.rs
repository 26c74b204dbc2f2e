//! Of an erased account nothing is left in any file of the store, and of another account, which has as
//! many things of all kinds, all is left as it was.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use test_support::{Relay, RelayBuilder, Sink, hostile_file};

use crate::store_files::{erase_by_hand, holding, rows, settle, tables};
use crate::{submission, text};

/// Words that are in all that an account has: its names, domains and mail.
const ERASED: &str = "quuxnarf";
const STAYS: &str = "blorptang";

/// An account with something of each kind.
struct Filled {
    id: String,
    login: (String, String),
}

fn start(sink: &Sink) -> Relay {
    RelayBuilder::usual(sink.address())
        // Nothing changes by itself while the rows are compared.
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .judged_by("odd", &hostile_file("quarantines"), "")
        .with(
            "[handover]\naddress = \"127.0.0.1:0\"\nurl = \"http://127.0.0.1:8443\"\ntls = \"none\"\n\
             [destinations]\nallowed-networks = ['127.0.0.0/8']\n\
             [routes]\ninbound = { host = '127.0.0.1', port = 1, tls = 'none' }\n",
        )
        .start()
}

/// Writes a file beside the store; returns its path.
fn write(relay: &Relay, name: &str, text: &str) -> String {
    let file = relay.directory().join(name);
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Adds an account and gives it something of each kind.
fn fill(relay: &Relay, word: &str) -> Filled {
    let (native, domain) = (format!("{word}.desk.test"), format!("{word}.test"));
    let run = |arguments: &[&str]| relay.json(arguments);
    let (product, brand) = (format!("{word} product"), format!("{word} brand"));
    let add = [
        "account",
        "add",
        "--native-domain",
        &native,
        "--product",
        &product,
    ];
    let made = run(&[&add[..], &["--brand", &brand]].concat());
    let id = text(&made[0], "id");
    let help = format!("help@{native}");
    let connected = format!("help@{domain}");
    let connect = |domain: &str, kind: &str| {
        let add = [
            "connector",
            "add",
            "--account",
            &id,
            "--kind",
            kind,
            "--domain",
            domain,
        ];
        text(&run(&add)[0], "id")
    };
    let connector = connect(&domain, "two-way");
    run(&["connector", "vouch", &connector]);
    connect(&format!("{word}-claimed.test"), "outbound-only");
    run(&["address", "add", "--account", &id, &help]);
    run(&[
        "address",
        "add",
        "--account",
        &id,
        "--brand",
        &brand,
        &connected,
    ]);
    run(&["account", "set-default-address", &id, &help]);
    let settings = format!("{{\"note\":\"{word}\"}}");
    run(&["account", "set", &id, "inbound-auth", &settings]);
    run(&["account", "caps", &id, "--messages-a-day", "1000"]);
    run(&["credential", "add", "--inbound", &connector, "--alias"]);
    run(&[
        "credential",
        "add",
        "--inbound",
        &connector,
        "--link",
        "--expires",
        "1h",
    ]);
    let login = submission(relay, &id);
    let rotated = text(&run(&["credential", "rotate", &login.0])[0], "user-name");
    run(&["credential", "remove", &rotated]);
    let connection =
        format!("host = '127.0.0.1'\nport = 1\ntls = 'none'\nserves = ['@{domain}']\n");
    let connection = write(relay, &format!("{word}.connection"), &connection);
    let add = [
        "connection",
        "add",
        word,
        "--account",
        &id,
        "--settings",
        &connection,
    ];
    run(&add);
    // No mail comes for it.
    let tickets = format!("tickets@{native}");
    run(&["address", "add", "--account", &id, &tickets]);
    let url = format!("https://{word}-tickets.test/");
    let endpoint = ["endpoint", "add", "--account", &id, word];
    run(&[&endpoint[..], &["--for", &tickets, "--url", &url]].concat());
    run(&["dkim", "generate", &domain, "--account", &id]);
    let person = format!("admin@{word}-people.test");
    let name = format!("{word} Person");
    run(&["administrator", "add", &id, &person, "--name", &name]);
    run(&[
        "partner",
        "add",
        &id,
        &format!("partner@{word}-partner.test"),
    ]);
    let list = format!("one@{word}-import.test\ntwo@{word}-import.test\n");
    let list = write(relay, &format!("{word}.txt"), &list);
    run(&["partner", "import", &id, &list]);
    let feed = format!("https://{word}-feed.test/list");
    run(&["partner", "feed", "add", &id, &feed, "--every", "1h"]);
    let gone = format!("gone@{word}-gone.test");
    run(&["suppression", "add", &id, &gone, "--reason", word]);
    let token = format!("{word} desk");
    run(&["token", "add", &token, "--scope", "read", "--account", &id]);
    verify(relay, &id, &connected);
    mail(relay, word, &login);
    Filled { id, login }
}

/// Sends a probe, and waits for nothing.
fn verify(relay: &Relay, id: &str, address: &str) {
    let request = json!({ "account": id, "address": address, "inbound": true });
    let asked = json!({ "operation": "connector-verify", "request": request });
    let answer = relay.ask(&asked);
    assert!(answer.get("answer").is_some(), "{answer}");
}

/// Has mail of the account in all places where mail is kept.
fn mail(relay: &Relay, word: &str, (user, secret): &(String, String)) {
    let help = format!("help@{word}.desk.test");
    let submit = |to: &str, body: &str| {
        let client = relay.client("submission");
        let mut client = client.authenticated(user, secret);
        let message = format!(
            "From: <{help}>\r\nTo: <{to}>\r\nMessage-ID: <{word}.{}@{word}.desk.test>\r\n\
             X-Gatepost-Metadata: ticket of {word}\r\nSubject: {word} asks\r\n\r\n{body}\r\n",
            body.len()
        );
        let reply = client.deliver(&help, &[to], message.as_bytes()).unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        reply.transaction()
    };
    let wait = |id: &str, ending: &str| {
        relay.eventually(ending, |relay| {
            let attempts = relay.events(id, "attempt");
            attempts
                .iter()
                .any(|of| of["ending"] == ending)
                .then_some(())
        });
    };
    // Delivered, and failed: kept, with a notice that waits, and a machine.
    wait(
        &submit(&format!("bob@{word}-reader.test"), word),
        "delivered",
    );
    wait(
        &submit(&format!("reject@{word}-reader.test"), word),
        "failed",
    );
    // Held, small and with a body in a file.
    relay.json(&["account", "hold", &help[5..], "--reason", word]);
    submit(&format!("held@{word}-reader.test"), word);
    submit(
        &format!("held@{word}-reader.test"),
        &format!("{word}\r\n").repeat(60_000),
    );
    // From outside: waiting for the application, in quarantine, refused.
    let inbound = |listener: &str, to: &str, code: u16| {
        let mut client = relay.client(listener);
        client.ehlo();
        let from = format!("ann@{word}-writer.test");
        let message =
            format!("From: <{from}>\r\nX-Attack: now\r\nSubject: {word} answers\r\n\r\n{word}\r\n");
        let reply = client.deliver(&from, &[to], message.as_bytes()).unwrap();
        assert_eq!(reply.code, code, "{}", reply.text());
    };
    inbound("mx", &help, 250);
    inbound("odd", &help, 250);
    inbound("mx", &format!("nobody@{word}.desk.test"), 550);
}

#[test]
fn nothing_of_an_erased_account_is_left_and_all_of_others() {
    let sink = Sink::with(&["--fail-rcpt", "reject"]);
    let mut relay = start(&sink);
    let erased = fill(&relay, ERASED);
    let stays = fill(&relay, STAYS);
    relay.json(&["sharing", "add", &erased.id, &stays.id]);
    relay.eventually("a machine of each", |relay| {
        (relay.json(&["machine", "list"]).len() == 2).then_some(())
    });
    relay.eventually("both feeds were tried", |relay| {
        let feeds = relay.json(&["partner", "feed", "list"]);
        feeds
            .iter()
            .all(|list| list["feed"]["tried"] != Value::Null)
            .then_some(())
    });
    settle(&relay);
    // The test is worth nothing where a kind of row is missing.
    let both = [STAYS, &stays.id];
    let before = rows(&relay, &both);
    for table in [
        "directory.accounts",
        "directory.brands",
        "directory.connectors",
        "directory.addresses",
        "directory.credentials",
        "directory.policy_settings",
        "directory.agreements",
        "directory.partner_lists",
        "directory.partners",
        "directory.connections",
        "directory.endpoints",
        "directory.dkim_keys",
        "directory.restrictions",
        "directory.administrators",
        "directory.probes",
        "directory.handovers",
        "directory.audit",
        "directory.api_tokens",
        "spool.messages",
        "spool.contents",
        "spool.recipients",
        "spool.counts",
        "spool.machines",
        "spool.events",
        "spool.suppressions",
        "trace.events",
        "trace.sent",
    ] {
        assert!(
            tables(&before).contains(table),
            "{table} of {:?}",
            tables(&before)
        );
    }
    assert_eq!(relay.bodies(), 2);

    let (code, said) = erase_by_hand(&relay, &["account", "erase", &erased.id], STAYS);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nothing was erased"), "{said}");
    settle(&relay);
    assert_eq!(rows(&relay, &both), before);
    let native = format!("{ERASED}.desk.test");
    let (code, said) = erase_by_hand(&relay, &["account", "erase", &native], &native);
    assert_eq!(code, Some(0), "{said}");
    let last = said
        .lines()
        .find(|line| line.contains("erased account"))
        .unwrap();
    for number in [
        "3 addresses",
        "1 endpoints",
        "2 connectors",
        "1 administrators",
        "3 partner addresses",
    ] {
        assert!(last.contains(number), "{number}: {last}");
    }

    for _ in 0..2 {
        assert_eq!(holding(&relay, ERASED), [] as [PathBuf; 0]);
        let of_erased = rows(&relay, &[&erased.id]);
        let told: Vec<_> = of_erased.iter().collect();
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].starts_with("directory.audit"), "{told:?}");
        assert!(told[0].contains("account-erase"), "{told:?}");
        settle(&relay);
        // Keys, feeds and next attempts change by themselves.
        let looked_at = [
            "directory.dkim_keys",
            "directory.partner_lists",
            "spool.recipients",
        ];
        let names_erased = |row: &str| row.contains(&erased.id) || row.contains(ERASED);
        let shared = |row: &&String| {
            !names_erased(row) && !looked_at.iter().any(|table| row.starts_with(table))
        };
        let kept: BTreeSet<_> = before.iter().filter(shared).cloned().collect();
        let after = rows(&relay, &both);
        let missing: Vec<_> = kept.difference(&after).collect();
        assert!(missing.is_empty(), "{missing:#?}");
        for table in looked_at {
            let number = |rows: &BTreeSet<String>| {
                let of_table = rows.iter().filter(|row| row.starts_with(table));
                of_table.filter(|row| !names_erased(row)).count()
            };
            assert_eq!(number(&after), number(&before), "{table}");
        }
        assert_eq!(relay.bodies(), 1);
        // Nothing comes back with the next relay.
        let status = relay.terminate();
        assert!(status.success(), "{status}");
        relay.restart();
    }
    let shown = relay.json(&["audit", "--account", &erased.id]);
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0]["action"], "account-erase");
    assert_ne!(shown[0]["actor"], Value::Null);
    assert!(
        relay
            .refuses(&["account", "show", &native])
            .contains("no account")
    );

    // Erased once more, it is not there; the other account goes on.
    let again = relay.json(&["account", "erase", &erased.id, "--yes"]);
    assert_eq!(again.last().unwrap()["state"], "complete", "{again:?}");
    relay.json(&["account", "release", &stays.id]);
    let client = relay.client("submission");
    drop(client.authenticated(&stays.login.0, &stays.login.1));
    // What went before comes first.
    let held = |word: &str| format!("held@{word}-reader.test");
    let mut left = 2;
    while left > 0 {
        let to = sink.take().to.join(" ");
        assert_ne!(to, held(ERASED));
        left -= usize::from(to == held(STAYS));
    }
}
