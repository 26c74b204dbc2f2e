//! A stranger's hostile messages stop nobody else's mail: each is taken or refused for good, honest
//! mail is taken on every listener afterwards, and while they are sent the 99th percentile of the
//! time to the reply of others is no worse than 250 ms over normal: three clients without a pause keep
//! both cores of a small machine busy with messages of 1 MiB, in a build that is not optimised.
//!
//! A target of its own with one test, so that no other test disturbs the measurement. Machines that
//! run tests are noisy all the same: it is measured up to three times.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use test_support::{Client, Relay, RelayBuilder, Sink, say};

const ATTACKERS: usize = 3;

/// Messages of a measurement.
const MESSAGES: usize = 150;

/// Time that a reply may take longer than without an attack.
const MORE: Duration = Duration::from_millis(250);

/// Stand-in for an octet that is in no text of UTF-8.
const NO_CHARSET: &str = "\u{1}";

/// Octets of the largest of them, a little less than a session takes of a header section.
const LARGE: usize = 1000 << 10;

const HONEST: &[u8] = b"From: <bob@customer.example>\r\nSubject: hello\r\n\r\nHello!\r\n";

const WITH_PARTNERS: &str = r#"
[[listener]]
name = "other"
address = "127.0.0.1:0"
direction = "inbound"
chain = ["partner-guard", "loop-guard", "header-guard"]
"#;

#[test]
fn other_clients_are_not_kept_waiting() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[http]\naddress = \"127.0.0.1:0\"\n")
        .with(WITH_PARTNERS)
        .environment("RUST_LOG", "error")
        .start();
    let messages = hostile();
    for listener in ["mx", "other"] {
        let mut client = relay.client(listener);
        client.ehlo();
        // Ten faults in a row open the circuit breaker of a policy.
        for (kind, message) in messages.iter().cycle().take(messages.len() + 10) {
            let reply = client.deliver("mal@stranger.example", &["help@desk.example"], message);
            let reply = reply.unwrap();
            assert!(
                reply.code == 250 || reply.code / 100 == 5,
                "{kind}: {} {}",
                reply.code,
                reply.text()
            );
            if reply.code != 250 {
                // A session that keeps being refused is closed: the next message has another.
                client = relay.client(listener);
                client.ehlo();
            }
        }
    }
    honest_mail_is_taken(&relay);
    let mut normal = Duration::MAX;
    let passed = (0..3).any(|_| {
        // The best so far: what disturbed the machine is not normal.
        normal = normal.min(p99(measure(&relay)));
        let attacked = p99(under_attack(&relay, &messages));
        say(&format!(
            "p99 {normal:.1?} without, {attacked:.1?} under hostile mail"
        ));
        attacked <= normal + MORE
    });
    assert!(passed, "hostile mail holds others up");
    honest_mail_is_taken(&relay);
    for policy in ["loop-guard", "header-guard", "partner-guard"] {
        let open = format!("gatepost_policy_breaker_open{{policy=\"{policy}\"}}");
        assert_eq!(relay.metric(&open), Some(0.0), "{policy}");
    }
}

/// On every listener.
fn honest_mail_is_taken(relay: &Relay) {
    for listener in ["mx", "other"] {
        let mut client = relay.client(listener);
        client.ehlo();
        let reply = client.deliver("bob@customer.example", &["help@desk.example"], HONEST);
        assert_eq!(reply.unwrap().code, 250, "{listener}");
    }
    let mut client = relay.client("submission").authenticated("user", "secret");
    let ours = b"From: <help@desk.example>\r\nSubject: Re: hello\r\n\r\nHello!\r\n";
    let reply = client.deliver("help@desk.example", &["bob@customer.example"], ours);
    assert_eq!(reply.unwrap().code, 250);
}

/// Sends honest messages one after the other; how long each reply to the end of data took.
fn measure(relay: &Relay) -> Vec<Duration> {
    let mut client = relay.client("mx");
    client.ehlo();
    let times = (0..MESSAGES).map(|_| {
        client.command("MAIL FROM:<bob@customer.example>", 250);
        client.command("RCPT TO:<help@desk.example>", 250);
        client.command("DATA", 354);
        let begun = Instant::now();
        client.send([HONEST, b".\r\n"].concat()).unwrap();
        client.expect(250);
        begun.elapsed()
    });
    times.collect()
}

/// Measures while strangers send hostile mail without a pause.
fn under_attack(relay: &Relay, messages: &[(&str, Vec<u8>)]) -> Vec<Duration> {
    let over = AtomicBool::new(false);
    let mx = relay.address("mx");
    thread::scope(|scope| {
        for number in 0..ATTACKERS {
            let (over, first) = (&over, number * 3);
            scope.spawn(move || {
                let mut client: Option<Client> = None;
                for (_, message) in messages.iter().cycle().skip(first) {
                    if over.load(Ordering::Acquire) {
                        return;
                    }
                    let mut session = client.take().unwrap_or_else(|| {
                        let mut client = Client::greeted(mx);
                        client.ehlo();
                        client
                    });
                    let to = &["help@desk.example"];
                    let reply = session.deliver("mal@stranger.example", to, message);
                    if reply.unwrap().code == 250 {
                        client = Some(session);
                    }
                }
            });
        }
        let times = measure(relay);
        over.store(true, Ordering::Release);
        times
    })
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100 - 1]
}

/// Messages each of which once made a policy fault.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let from = "From: a@stranger.example\r\n";
    let long = "a".repeat(930);
    let quotes = format!("From: {}\r\n <a@b.example>\r\n", "\"\\".repeat(450));
    let mut all = vec![
        (
            "fields of a program",
            format!("{from}{}", many("X-Jira-#:", 64 << 10)),
        ),
        (
            "lists",
            format!("{from}{}", many("List-Id: <#.l.example>", 150 << 10)),
        ),
        (
            "delivered before",
            format!("{from}{}", list("Delivered-To", "#@b.example", 48 << 10)),
        ),
        (
            "answers to answers",
            format!("{from}{}", list("Subject", "re:", 15 << 10)),
        ),
        (
            "a long author",
            format!("From: <{long}@b.example>\r\nAuto-Submitted: auto-generated\r\n"),
        ),
        (
            "lists of addresses",
            format!(
                "{}{}{}",
                list("From", "a#@b.example,", 25 << 10),
                list("To", "c#@d.example,", 25 << 10),
                list("Reply-To", "e#@f.example,", 25 << 10)
            ),
        ),
        (
            "a large Reply-To",
            format!("{from}{}", list("Reply-To", "a#@b.example,", LARGE)),
        ),
        (
            "a large Cc",
            format!("{from}{}", list("Cc", "a#@b.example,", LARGE)),
        ),
        ("a large From", list("From", "a#@b.example,", LARGE)),
        ("open quotes", quotes),
        (
            "many long trace fields",
            format!(
                "{from}{}",
                list("Delivered-To", "a@b.example,", 10 << 10).repeat(95)
            ),
        ),
        (
            "a trace of no charset",
            format!(
                "{from}{}",
                format!("Delivered-To: {}\r\n", NO_CHARSET.repeat(500)).repeat(1_900)
            ),
        ),
    ];
    all.iter_mut()
        .map(|(kind, head)| {
            let rest = "Date: Sat, 28 Nov 2026 14:00:00 +0000\r\n\r\nhi\r\n";
            let octets = format!("{head}{rest}").into_bytes();
            let raw = |octet| match octet {
                1 => 0xff,
                octet => octet,
            };
            (*kind, octets.into_iter().map(raw).collect())
        })
        .collect()
}

/// Fields of so many octets.
fn many(field: &str, octets: usize) -> String {
    let mut fields = String::new();
    for number in 0.. {
        if fields.len() >= octets {
            break;
        }
        write!(fields, "{}\r\n", field.replace('#', &number.to_string())).unwrap();
    }
    fields
}

/// One folded field of so many octets.
fn list(name: &str, item: &str, octets: usize) -> String {
    let mut field = format!("{name}:");
    for number in 0.. {
        if field.len() >= octets {
            break;
        }
        let fold = if number % 40 == 39 { "\r\n" } else { "" };
        write!(field, "{fold} {}", item.replace('#', &number.to_string())).unwrap();
    }
    field.truncate(field.trim_end_matches(',').len());
    field + "\r\n"
}
