//! Of a correspondent who asks to be forgotten nothing is left in an account; another account has all of
//! her mail until she is erased from the site, and her neighbours' mail stays in both.

use std::collections::BTreeSet;
use std::path::PathBuf;

use test_support::{Relay, RelayBuilder, Sink, hostile_file};

use crate::store_files::{erase_by_hand, holding, rows, settle, tables};
use crate::submission;

/// Correspondents who are erased; mail to the second one fails.
const FORGOTTEN: [&str; 2] = ["ann@quuxnarf.test", "reject@quuxnarf.test"];
/// Sub-address from which the first one writes, as it stands in the store in any case.
const LISTS: &str = "ann+lists@quuxnarf.test";
const STAYS: [&str; 2] = ["bob@blorptang.test", "reject@blorptang.test"];

fn start(sink: &Sink) -> Relay {
    RelayBuilder::usual(sink.address())
        // Nothing changes by itself while the rows are compared.
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .judged_by("odd", &hostile_file("quarantines"), "")
        .with(
            "[destinations]\nallowed-networks = ['127.0.0.0/8']\n\
             [routes]\ninbound = { host = '127.0.0.1', port = 1, tls = 'none' }\n",
        )
        .start()
}

/// An account, with its native domain.
struct Filled {
    native: String,
    login: (String, String),
}

impl Filled {
    fn help(&self) -> String {
        format!("help@{}", self.native)
    }

    /// Submits a message; its header names nobody.
    fn submit(&self, relay: &Relay, to: &[&str], body: &str) -> String {
        let (user, secret) = &self.login;
        let client = relay.client("submission");
        let mut client = client.authenticated(user, secret);
        let help = self.help();
        let message = format!("From: <{help}>\r\nSubject: as you asked\r\n\r\n{body}\r\n");
        let reply = client.deliver(&help, to, message.as_bytes()).unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        reply.transaction()
    }
}

/// Adds an account that has mail of all correspondents in all places where mail is kept.
fn fill(relay: &Relay, word: &str) -> Filled {
    let native = format!("{word}.desk.test");
    let add = [
        "account",
        "add",
        "--native-domain",
        &native,
        "--product",
        word,
    ];
    relay.json(&add);
    let filled = Filled {
        login: submission(relay, &native),
        native,
    };
    let help = filled.help();
    relay.json(&["address", "add", "--account", &filled.native, &help]);
    for [person, reject] in [FORGOTTEN, STAYS] {
        for (to, ending) in [(person, "delivered"), (reject, "failed")] {
            let id = filled.submit(relay, &[to], "hello");
            on_record(relay, &id, Some(ending));
        }
    }
    relay.json(&["account", "hold", &filled.native, "--reason", "holidays"]);
    let large = "held\r\n".repeat(60_000);
    let people = [FORGOTTEN[0], STAYS[0]];
    for person in people {
        on_record(relay, &filled.submit(relay, &[person], "held"), None);
        on_record(relay, &filled.submit(relay, &[person], &large), None);
    }
    on_record(relay, &filled.submit(relay, &people, "to both"), None);
    // Her mail comes from a sub-address, in another case.
    come_in(relay, &filled, "Ann+Lists@quuxnarf.test", FORGOTTEN[0], 1);
    come_in(relay, &filled, STAYS[0], STAYS[0], 2);
    for person in people {
        let add = [
            "suppression",
            "add",
            &filled.native,
            person,
            "--reason",
            "asked",
        ];
        relay.json(&add);
    }
    settle(relay);
    filled
}

/// Has mail come in that waits, that is quarantined, and that is refused, as so many were before.
fn come_in(relay: &Relay, account: &Filled, from: &str, author: &str, refused: usize) {
    let (help, nobody) = (account.help(), format!("nobody@{}", account.native));
    let deliver = |listener: &str, to: &str, code: u16| {
        let mut client = relay.client(listener);
        client.ehlo();
        let message =
            format!("From: <{author}>\r\nX-Attack: now\r\nSubject: from {author}\r\n\r\nhello\r\n");
        let reply = client.deliver(from, &[to], message.as_bytes()).unwrap();
        assert_eq!(reply.code, code, "{}", reply.text());
        reply
    };
    let waits = deliver("mx", &help, 250).transaction();
    // Once its server has been tried in vain, other mail to it waits without an attempt.
    let is_first = refused == 1 && account.native == "one.desk.test";
    on_record(relay, &waits, is_first.then_some("deferred"));
    let quarantined = deliver("odd", &help, 250).transaction();
    on_record(relay, &quarantined, None);
    deliver("mx", &nobody, 550);
    relay.eventually("the refusal is on record", |relay| {
        let mut found = rows(relay, &[nobody.as_str()]);
        found.retain(|row| row.starts_with("trace.events"));
        (found.len() == refused).then_some(())
    });
}

/// Waits until the trace has that a message was taken, and that an attempt has ended so.
fn on_record(relay: &Relay, id: &str, ending: Option<&str>) {
    relay.eventually("a message is on record", |relay| {
        let events = relay.trace(id);
        let is_taken = events.iter().any(|event| event["event"] == "replied");
        let mut endings = events.iter().map(|event| &event["ending"]);
        let has_ended = ending.is_none_or(|ending| {
            endings.any(|found| *found == ending || found.get(ending).is_some())
        });
        (is_taken && has_ended).then_some(())
    });
}

/// Returns the rows that name a correspondent, but those that change by themselves: recipients with each
/// attempt, and marks of seconds, which end.
fn named(relay: &Relay, correspondents: &[&str]) -> BTreeSet<String> {
    let mut found = rows(relay, correspondents);
    found.retain(|row| !row.starts_with("spool.recipients") && !row.contains("|since "));
    found
}

fn names(row: &str, correspondents: &[&str]) -> bool {
    let row = row.to_lowercase();
    correspondents.iter().any(|of| row.contains(of))
}

#[test]
fn an_address_is_erased_from_one_account_and_then_from_all() {
    let sink = Sink::with(&["--fail-rcpt", "reject"]);
    let mut relay = start(&sink);
    let one = fill(&relay, "one");
    let of_one = named(&relay, &FORGOTTEN);
    // The test is worth nothing where a kind of row is missing.
    for table in [
        "directory.audit",
        "spool.contents",
        "spool.counts",
        "spool.events",
        "spool.suppressions",
        "trace.events",
        "trace.message_recipients",
        "trace.messages",
    ] {
        assert!(
            tables(&of_one).contains(table),
            "{table}: {:?}",
            tables(&of_one)
        );
    }
    let of_lists = rows(&relay, &[LISTS]);
    assert!(tables(&of_lists).contains("spool.messages"), "{of_lists:?}");
    let two = fill(&relay, "two");
    let of_both = named(&relay, &FORGOTTEN);
    let of_two: BTreeSet<_> = of_both.difference(&of_one).cloned().collect();
    let neighbours = named(&relay, &STAYS);
    let neighbours = neighbours.into_iter().filter(|row| !names(row, &FORGOTTEN));
    let neighbours: BTreeSet<_> = neighbours.collect();
    assert_eq!(relay.bodies(), 4);

    let arguments = [
        "correspondent",
        "erase",
        "Ann@QUUXNARF.test",
        "--account",
        &one.native,
    ];
    let (code, said) = erase_by_hand(&relay, &arguments, "ann");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nothing was erased"), "{said}");
    settle(&relay);
    assert_eq!(named(&relay, &FORGOTTEN), of_both);
    let (code, said) = erase_by_hand(&relay, &arguments, "Ann@quuxnarf.test");
    assert_eq!(code, Some(0), "{said}");
    // Two held, one that waits and one in quarantine; the message to both stays.
    for number in [
        "4 messages",
        "1 recipients of other messages",
        "1 suppressed",
        "audit log",
    ] {
        assert!(said.contains(number), "{number}: {said}");
    }
    let again = [
        "correspondent",
        "erase",
        FORGOTTEN[1],
        "--account",
        &one.native,
        "--yes",
    ];
    let states = relay.json(&again);
    let last = states.last().unwrap();
    assert_eq!(last["state"], "complete", "{last}");
    // The failed message, which is kept.
    assert_eq!(last["erased"]["queue"]["messages"], 1, "{last}");
    settle(&relay);
    let left = named(&relay, &FORGOTTEN);
    let of_one_left: Vec<_> = left.difference(&of_two).collect();
    assert!(of_one_left.is_empty(), "{of_one_left:#?}");
    let missing: Vec<_> = of_two.difference(&left).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert_eq!(relay.bodies(), 3);

    for address in FORGOTTEN {
        relay.json(&["correspondent", "erase", address, "--yes"]);
    }
    for _ in 0..2 {
        for address in [FORGOTTEN[0], FORGOTTEN[1], LISTS] {
            assert_eq!(holding(&relay, address), [] as [PathBuf; 0], "{address}");
        }
        settle(&relay);
        let left = named(&relay, &STAYS);
        let missing: Vec<_> = neighbours.difference(&left).collect();
        assert!(missing.is_empty(), "{missing:#?}");
        // Nothing comes back with the next relay.
        let status = relay.terminate();
        assert!(status.success(), "{status}");
        relay.restart();
    }
    let audited = relay.json(&["audit", "--limit", "100"]);
    let erasures = audited
        .iter()
        .filter(|of| of["action"] == "correspondent-erase");
    assert_eq!(erasures.count(), 4);

    // What was delivered before with notices of what failed, and of what was held the neighbour's alone.
    let delivered = (0..8).map(|_| sink.take().to.join(" "));
    let delivered: BTreeSet<_> = delivered.collect();
    let (one_help, two_help) = (one.help(), two.help());
    let expected = [FORGOTTEN[0], STAYS[0], &one_help, &two_help];
    assert_eq!(delivered, BTreeSet::from(expected.map(str::to_owned)));
    for account in [&one, &two] {
        relay.json(&["account", "release", &account.native]);
        for _ in 0..3 {
            assert_eq!(sink.take().to, [STAYS[0]]);
        }
    }
    // The relay has forgotten that she did not want mail.
    one.submit(&relay, &[FORGOTTEN[0]], "again");
    assert_eq!(sink.take().to, [FORGOTTEN[0]]);
}
