//! Through a customer's smart host mail leaves with the support address as reverse-path, so its
//! reports come to that address. They are matched by the Message-ID, since they come from the
//! server that got the message, and go on to the application, tagged.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, bounce, comes_in, report};

#[test]
fn a_bounce_of_a_smart_host_comes_to_the_support_address() {
    let service = Sink::start();
    let relay = RelayBuilder::usual(service.address())
        .with("[return-path]\ndomain = \"bounces.desk.example\"")
        .start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    let reply = client.deliver("help@desk.example", &["x@b.example"], MESSAGE);
    let id = reply.unwrap().transaction();
    assert_eq!(service.take().from, "help@desk.example");
    relay.eventually("the delivery is on record", |relay| {
        relay.events(&id, "attempt").pop()
    });
    comes_in(&relay, "", "help@desk.example", &bounce("x@b.example"));
    let read = report(&relay, &id);
    assert_eq!(read["kind"], "failure", "{read}");
    assert_eq!(read["by"], "message-id", "{read}");
    assert_eq!(read["forged"], false, "{read}");
    assert_eq!(read["recipients"][0]["address"], "x@b.example", "{read}");
    assert_eq!(read["recipients"][0]["status"], "5.1.1", "{read}");
    let taken = service.take();
    assert_eq!(taken.to, ["help@desk.example"]);
    let tags = taken.header("X-Gatepost-Tags").unwrap_or_default();
    assert!(tags.contains("report-failure"), "{tags}");
    assert!(!tags.contains("report-forged"), "{tags}");
    drop(client);
    relay.leaves_nothing(service);
}
