//! Default routes by direction: inbound mail goes to the application, submitted mail to another
//! server.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted};

#[test]
fn each_direction_has_its_own_default_route() {
    let (application, world) = (Sink::start(), Sink::start());
    let routes = format!(
        "\n[routes]\ninbound = {{ host = \"127.0.0.1\", port = {}, tls = \"none\" }}\n",
        application.address().port()
    );
    // The default route of [delivery] holds for the direction that has none.
    let relay = RelayBuilder::usual(world.address()).with(&routes).start();
    accepted(&relay, &["help@desk.example"], MESSAGE);
    let inbound = application.take();
    assert_eq!(inbound.to, ["help@desk.example"]);
    let mut client = relay.client("submission").authenticated("user", "secret");
    let reply = client.deliver("ann@sender.example", &["x@elsewhere.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    let submitted = world.take();
    assert_eq!(submitted.to, ["x@elsewhere.example"]);
    relay.eventually("its delivery is on record", |relay| {
        let queued = relay.json(&["queue", "list", "--messages"]);
        queued.is_empty().then_some(())
    });
    assert!(world.rest().is_empty());
    relay.leaves_nothing(application);
}
