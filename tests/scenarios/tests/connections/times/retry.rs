//! A recipient that the service defers is tried again after the connection's own waits.

use crate::{Service, TLS, submit};

#[test]
fn the_waits_between_attempts_are_the_connections_own() {
    let defers = "[[on]]\ncommand = 'RCPT'\ntimes = 2\nreply = '450 4.2.1 not now'\n";
    let service = Service::start(&format!("{TLS}{defers}"));
    // The relay's own schedule would try again after an hour.
    let relay = service
        .relay("retry = ['1s', '2s']\n")
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]\njitter = 0.0")
        .start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    service.sink.take();
    let attempts = relay.eventually("it is delivered", |relay| {
        let attempts = relay.events(&id, "attempt");
        (attempts.len() == 3).then_some(attempts)
    });
    for (attempt, most) in attempts.iter().zip([1_000, 2_000]) {
        let next = &attempt["ending"]["deferred"]["next-attempt"];
        // The record is written a moment after the reply.
        let wait = next.as_u64().unwrap() - attempt["at"].as_u64().unwrap();
        assert!((most - 999..=most).contains(&wait), "{attempt}");
    }
    relay.leaves_nothing(service.sink);
}
