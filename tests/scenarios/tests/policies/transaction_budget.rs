//! What all calls of one transaction together may ask for is bounded, in memory and in what one
//! commit has to write: a policy that asks for the most for each of a thousand recipients costs
//! nobody else anything.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use test_support::{Client, Relay, Sink};

use crate::{Guest, INNOCENT, send};

/// Most additional memory of the relay at its peak, with all that it sets up once.
const MEMORY: u64 = 200 << 20;

/// Time that others may wait for a reply, on a machine that does something else as well.
const PATIENCE: Duration = Duration::from_secs(5);

/// Begins a transaction with so many recipients, sent by the hundred; gives the codes.
fn envelope(client: &mut Client, from: &str, recipients: usize) -> Vec<u16> {
    client.ehlo();
    client.command(&format!("MAIL FROM:<{from}@sender.example>"), 250);
    let mut codes = Vec::new();
    for hundred in (0..recipients).collect::<Vec<_>>().chunks(100) {
        let commands = hundred
            .iter()
            .map(|n| format!("RCPT TO:<r{n}@desk.example>\r\n"));
        client.send(commands.collect::<String>()).unwrap();
        codes.extend(hundred.iter().map(|_| client.reply().unwrap().code));
    }
    codes
}

/// Does it while others send mail; gives how long the slowest of those waited.
fn meanwhile<T: Send>(relay: &Relay, work: impl FnOnce() -> T + Send) -> (T, Duration) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let working = scope.spawn(|| {
            let done = work();
            over.store(true, Ordering::Release);
            done
        });
        let mut slowest = Duration::ZERO;
        loop {
            let begun = Instant::now();
            let last = over.load(Ordering::Acquire) || working.is_finished();
            assert_eq!(send(relay, INNOCENT).code, 250);
            slowest = slowest.max(begun.elapsed());
            if last {
                break;
            }
        }
        (working.join().unwrap(), slowest)
    })
}

#[test]
fn the_most_for_each_of_a_thousand_recipients_is_kept_within_bounds() {
    let sink = Sink::start();
    let mut relay = Guest::new("asks_much").relay(&sink).start();
    send(&relay, INNOCENT);
    let before = relay.process().peak_memory();
    let mut client = relay.client("mx");
    let (id, slowest) = meanwhile(&relay, || {
        let codes = envelope(&mut client, "reasons", 1000);
        assert!(codes.iter().all(|code| *code == 250), "{codes:?}");
        client.command("DATA", 354);
        client.send([INNOCENT, b".\r\n"].concat()).unwrap();
        client.expect(250).transaction()
    });
    assert!(slowest < PATIENCE, "others waited for {slowest:?}");
    let judgements = relay.judgements(&id);
    assert_eq!(judgements.len(), 1001);
    let octets: usize = judgements
        .iter()
        .flat_map(|judged| judged["decision"]["reasons"].as_array().unwrap())
        .map(|reason| reason.as_str().unwrap().len())
        .sum();
    assert!(octets <= 256 << 10, "{octets} octets of reasons");
    let more = relay.process().peak_memory().saturating_sub(before);
    assert!(more < MEMORY, "{} MiB more", more >> 20);
}

#[test]
fn four_thousand_things_to_remember_are_the_most_of_a_transaction() {
    let sink = Sink::start();
    let relay = Guest::new("asks_much").relay(&sink).start();
    let mut client = relay.client("mx");
    let codes = envelope(&mut client, "effects", 6);
    assert_eq!(
        codes,
        [250, 250, 250, 250, 452, 452],
        "the others are for another transaction"
    );
    client.command("DATA", 354);
    client.send([INNOCENT, b".\r\n"].concat()).unwrap();
    client.expect(250);
    let marks = "gatepost_remembered_entries{kind=\"marks\"}";
    assert_eq!(relay.metric(marks), Some(4000.0));
    let budget =
        "gatepost_policy_errors_total{policy=\"guest\",hook=\"recipient\",kind=\"budget\"}";
    assert_eq!(relay.metric(budget), Some(2.0));
    sink.take();
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_million_things_to_remember_are_refused_and_hold_nobody_up() {
    let sink = Sink::start();
    let relay = Guest::new("asks_much").relay(&sink).start();
    // A session of its own for each: one that is refused too often is closed.
    let address = relay.address("mx");
    let ask = || {
        let mut client = Client::greeted(address);
        client.ehlo();
        let to = ["help@desk.example"];
        let reply = client.deliver("million@sender.example", &to, INNOCENT);
        reply.unwrap().code
    };
    let (codes, slowest) = meanwhile(&relay, || {
        let begun = Instant::now();
        let mut codes = Vec::new();
        // How many it takes depends on when others are answered in between.
        while codes.len() < 40 || codes.last() == Some(&451) && begun.elapsed() < PATIENCE {
            codes.push(ask());
        }
        codes
    });
    assert!(slowest < PATIENCE, "others waited for {slowest:?}");
    assert_eq!(codes[0], 451);
    assert_eq!(
        codes.last(),
        Some(&554),
        "others were answered meanwhile: it is the message's fault"
    );
    let marks = "gatepost_remembered_entries{kind=\"marks\"}";
    assert_eq!(
        relay.metric(marks),
        Some(0.0),
        "nothing is remembered of what was refused"
    );
}
