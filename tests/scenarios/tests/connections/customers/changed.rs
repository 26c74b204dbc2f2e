//! Mail that waits for a broken connection takes the changed one at once.

use crate::{LOGIN, LOOPBACK_ALLOWED, Service, settings, waits, with_customer};

#[test]
fn waiting_mail_takes_a_changed_connection() {
    let refusing = "[[on]]\ncommand = 'CONNECT'\nreply = '554 5.3.2 moved'\n";
    let (old, new) = (
        Service::start(&format!("{LOGIN}{refusing}")),
        Service::start(LOGIN),
    );
    let customer = with_customer(LOOPBACK_ALLOWED);
    customer.connection("add", &settings(&old));
    let id = customer.submit(&["x@elsewhere.example"]);
    let (before, _) = waits(&customer.relay, &id, "moved");
    let stamp = |recipient: &serde_json::Value| recipient["route"]["stamp"].to_string();
    assert!(stamp(&before).len() > 4, "{before}");

    customer.connection("set", &settings(&new));
    let taken = new.sink.take();
    assert_eq!(taken.to, ["x@elsewhere.example"]);
    assert!(old.sink.rest().is_empty());
    customer.relay.leaves_nothing(new.sink);
}
