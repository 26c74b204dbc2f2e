//! A broken connection is probed by itself, after the waits in its `probe`: one session at a time,
//! with one message. When a probe gets through, all that waits flows, and nobody has to do
//! anything.

use std::collections::BTreeSet;

use crate::{LOGIN, Service, USER, state, submit, waits};

/// Sessions that are refused: the first, and two probes.
const REFUSED: &str = "[[on]]\ncommand = 'LOGIN'\ntimes = 3\nreply = '535 5.7.8 wrong password'\n";

#[test]
fn everything_flows_again_by_itself() {
    let service = Service::start(&format!("{LOGIN}{REFUSED}"));
    let keys = format!("{USER}probe = ['500ms', '700ms']\nmechanisms = ['plain']\n");
    let relay = service.relay(&keys).start();
    let id = submit(&relay, &["x0@elsewhere.example"]);
    let broken = relay.logged("connection broken: its mail is held");
    assert!(broken.contains("wrong password"), "{broken}");
    let others = (1..5).map(|number| submit(&relay, &[&format!("x{number}@elsewhere.example")]));
    let others: Vec<_> = others.collect();

    let came: BTreeSet<_> = (0..5).map(|_| service.sink.take().to.remove(0)).collect();
    assert_eq!(came.len(), 5, "each once");
    relay.logged("connection works again");
    assert_eq!(
        (state(&relay, "working"), state(&relay, "broken")),
        (1.0, 0.0)
    );
    let dialogue = service.sink.dialogue();
    assert_eq!(
        dialogue.matches("535 5.7.8 wrong password").count(),
        3,
        "{dialogue}"
    );

    // Each refused session was one message's, and each probe came when it was due.
    let attempts = |id: &String| {
        relay.eventually("it is delivered", |relay| {
            let attempts = relay.events(id, "attempt");
            let last = attempts.last()?;
            (last["ending"] == "delivered").then_some(attempts.clone())
        })
    };
    let all = std::iter::once(&id).chain(&others).flat_map(attempts);
    let failed = all.filter(|attempt| attempt["ending"] != "delivered");
    // Time of each, and of the probe that was to follow.
    let mut times: Vec<_> = failed
        .map(|attempt| {
            let next = &attempt["ending"]["deferred"]["next-attempt"];
            (attempt["at"].as_u64().unwrap(), next.as_u64().unwrap())
        })
        .collect();
    times.sort_unstable();
    assert_eq!(times.len(), 3, "{times:?}");
    for pair in times.windows(2) {
        let [(_, due), (at, next)] = [pair[0], pair[1]];
        assert!(at >= due && next >= due + 700, "{times:?}");
    }
    relay.leaves_nothing(service.sink);
}

/// Without the key, the first probe is due after a minute.
#[test]
fn the_first_probe_usually_comes_after_a_minute() {
    let service = Service::start(&format!("{LOGIN}{REFUSED}"));
    let relay = service.relay(USER).start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    let (recipient, _) = waits(&relay, &id, "wrong password");
    let last = recipient["last-attempt"].as_u64().unwrap();
    let wait = recipient["next-attempt"].as_u64().unwrap() - last;
    assert!((59_000..=61_000).contains(&wait), "{recipient}");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service.sink);
}
