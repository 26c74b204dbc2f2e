//! The same commands work on the store while no relay runs on it; the relay that is started next
//! goes by what was done.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted, all, waiting_after, without_next_hop};

#[test]
fn changes_to_the_queue_of_a_stopped_relay_hold() {
    let sink = Sink::start();
    let directory = tempfile::tempdir().unwrap();
    let mut relay = without_next_hop(&sink).directory(directory.path()).start();
    let [held, released, retried, cancelled, left] = ["a", "b", "c", "d", "e"].map(|name| {
        let id = accepted(&relay, &[&format!("{name}@desk.example")], MESSAGE);
        waiting_after(&relay, 1, &id);
        id
    });
    assert!(relay.terminate().success());

    let listed = relay.json(&["queue", "list", "--messages"]);
    assert_eq!(
        all(&listed, "id"),
        [&held, &released, &retried, &cancelled, &left]
    );
    for change in [
        ["hold", &held],
        ["hold", &released],
        ["release", &released],
        ["retry", &retried],
        ["cancel", &cancelled],
    ] {
        let said = relay.json(&[&["queue"], &change[..]].concat());
        assert_eq!(said[0]["changed"], 1, "{change:?}");
    }
    let shown = relay.json(&["queue", "show", &held]);
    assert_eq!(shown[0]["recipients"][0]["status"], "held");
    assert_eq!(relay.events(&cancelled, "cancelled").len(), 1);
    let told = relay.refuses(&["policy", "list"]);
    assert!(told.contains("no relay is running on the store"), "{told}");

    // Those that are due go out at once: those made due by hand, and the one that only waited behind
    // the destination, which answers now.
    let relay = RelayBuilder::usual(sink.address())
        .directory(directory.path())
        .start();
    let mut arrived = [sink.take().to, sink.take().to, sink.take().to];
    arrived.sort_unstable();
    assert_eq!(
        arrived,
        [["b@desk.example"], ["c@desk.example"], ["e@desk.example"]]
    );
    waiting_after(&relay, 1, &held);
    relay.json(&["queue", "release", &held]);
    assert_eq!(sink.take().to, ["a@desk.example"]);
    relay.eventually("the last is delivered", |relay| {
        relay
            .json(&["queue", "list", "--messages"])
            .is_empty()
            .then_some(())
    });
    relay.leaves_nothing(sink);
}
