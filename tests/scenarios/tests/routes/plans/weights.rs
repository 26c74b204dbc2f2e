//! Weights give each message one of several ways by its transaction's id alone: in proportion, and
//! the same when the policy is asked again.

use gatepost_sdk::choose_by_weight;

use super::quick;
use crate::{MESSAGE, attempt, beside, routed, server, submitted};

/// Server that defers each recipient once.
const DEFERS_ONCE: &str = "[greylist]\ntries = 1\nreply = '450 4.2.1 not now'\n";

/// Messages: that all take one way happens once in a million runs.
const MESSAGES: usize = 48;

#[test]
fn the_way_depends_on_the_transaction_alone() {
    let old = server(DEFERS_ONCE);
    let new = beside(&old, 3, DEFERS_ONCE);
    let port = old.address().port();
    let (_dns, relay) = quick(&old);
    let mut connections = String::new();
    for (name, octet) in [("old", 2), ("new", 3)] {
        connections += &format!(
            "[connection.{name}]\nhost = '127.0.0.{octet}'\nport = {port}\ntls = 'none'\n"
        );
    }
    let route = r#"{ holds-for = 1, among = [
        { by = { connection = "old" }, weight = 3 },
        { by = { connection = "new" }, weight = 1 },
    ] }"#;
    let relay = routed(relay, route)
        .replace("retry = [\"1s\"]", "retry = [\"2s\"]")
        .with(&connections)
        .start();
    let ids: Vec<_> = (0..MESSAGES)
        .map(|number| submitted(&relay, &[&format!("x{number}@b.example")], MESSAGE))
        .collect();
    let mut counts = [0, 0];
    for (number, id) in ids.iter().enumerate() {
        let chosen = *choose_by_weight(id, &[(0, 3), (1, 1)]).unwrap();
        counts[chosen] += 1;
        let last = attempt(&relay, id, 2);
        assert_eq!(last["ending"], "delivered", "{last}");
        let routes = relay.judgements(id);
        let routes = routes.iter().filter(|call| call["hook"] == "route").count();
        assert_eq!(routes, 2, "it is asked again");
        let recipient = format!("RCPT TO:<x{number}@b.example>");
        for (at, server) in [&old, &new].into_iter().enumerate() {
            let tries = server.dialogue().matches(&recipient).count();
            assert_eq!(tries, if at == chosen { 2 } else { 0 }, "{id}");
        }
    }
    assert!(counts[0] > counts[1] && counts[1] > 0, "{counts:?}");
    for (server, count) in [&old, &new].into_iter().zip(counts) {
        (0..count).for_each(|_| drop(server.take()));
    }
    assert!(new.rest().is_empty());
    relay.leaves_nothing(old);
}
