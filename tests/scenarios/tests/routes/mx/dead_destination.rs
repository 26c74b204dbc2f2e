//! A destination that is down costs one connection for each probe, however much waits for it, and
//! all that waits flows when a probe gets through.

use std::collections::BTreeSet;

use crate::{MESSAGE, relay, server, submitted, waits, zone};
use test_support::DnsServer;

/// Messages that wait.
const MESSAGES: usize = 50;

/// Sessions that the server refuses: the first, and three probes.
const REFUSED: &str = "
    [[on]]
    command = 'CONNECT'
    times = 4
    reply = '421 4.3.2 down for now'
";

#[test]
fn a_dead_destination_costs_one_probe() {
    let server = server(REFUSED);
    let dns = DnsServer::start(zone(&[(10, 2)]));
    let relay = relay(&dns, server.address().port())
        .replace("retry = [\"1h\"]", "retry = [\"3s\"]\njitter = 0.0")
        .start();
    let mut ids = vec![submitted(&relay, &["x0@b.example"], MESSAGE)];
    waits(&relay, &ids[0], "421 4.3.2 down for now");
    let mut client = relay.client("submission").authenticated("user", "secret");
    for number in 1..MESSAGES {
        let to = format!("x{number}@b.example");
        let reply = client
            .deliver("ann@sender.example", &[&to], MESSAGE)
            .unwrap();
        ids.push(reply.transaction());
    }
    let taken: BTreeSet<_> = (0..MESSAGES).map(|_| server.take().to.remove(0)).collect();
    assert_eq!(taken.len(), MESSAGES, "each once");

    let dialogue = server.dialogue();
    assert_eq!(
        dialogue.matches("421 4.3.2 down for now").count(),
        4,
        "{dialogue}"
    );
    let attempts = ids.iter().flat_map(|id| relay.events(id, "attempt"));
    let failed = attempts.filter(|attempt| attempt["reply"]["code"] == 421);
    let mut times: Vec<_> = failed
        .map(|attempt| attempt["at"].as_u64().unwrap())
        .collect();
    times.sort_unstable();
    assert_eq!(times.len(), 4, "a probe is one message's");
    let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.iter().all(|wait| *wait >= 2_900), "{waits:?}");
    relay.leaves_nothing(server);
}
