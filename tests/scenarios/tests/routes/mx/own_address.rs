//! Mail for an address that this relay receives goes to the application, never by MX: what an
//! account submits, and the bounce for its own address.

use crate::{MESSAGE, relay, server, submitted};
use test_support::{DnsServer, Zone};

#[test]
fn mail_for_our_own_address_goes_to_the_application() {
    let application = server("");
    let inbound = format!(
        "[routes]\ninbound = {{ host = \"127.0.0.2\", port = {}, tls = \"none\" }}",
        application.address().port()
    );
    let mut zone = Zone::new();
    zone.mx("nomail.example", 0, "");
    let dns = DnsServer::start(zone);
    // The listener whose policies judge it.
    let listener = "
[[listener]]
name = \"mx\"
address = \"127.0.0.1:0\"
direction = \"inbound\"
tls = \"none\"
chain = []
";
    let relay = relay(&dns, 25).replace("[routes]", &inbound);
    let relay = relay.with(listener).start();
    submitted(&relay, &["help@desk.example"], MESSAGE);
    let taken = application.take();
    assert_eq!(taken.from, "ann@sender.example");
    assert_eq!(taken.to, ["help@desk.example"]);

    let mut client = relay.client("submission").authenticated("user", "secret");
    let reply = client.deliver("help@desk.example", &["x@nomail.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    let bounce = application.take();
    assert_eq!(bounce.from, "");
    assert_eq!(bounce.to, ["help@desk.example"]);
    drop(client);
    relay.leaves_nothing(application);
}
