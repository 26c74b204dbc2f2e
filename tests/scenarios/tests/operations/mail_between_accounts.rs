//! A message of one account for an address of another stays on the relay, and goes through the
//! policies of the inbound listener like mail from outside.

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn mail_between_accounts_stays_inside_and_is_judged_as_inbound() {
    let application = Sink::start();
    // The default route of [delivery] holds for inbound mail.
    let routes = "
[routes]
submission = \"mx\"
[[account]]
id = \"other\"
domains = [\"other.example\"]
";
    let relay = RelayBuilder::usual(application.address())
        .with(routes)
        .start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    let reply = client.deliver("ann@sender.example", &["help@other.example"], MESSAGE);
    let submitted = reply.unwrap();
    assert_eq!(submitted.code, 250);

    let arrived = application.take();
    assert_eq!(arrived.to, ["help@other.example"]);
    let text = arrived.text();
    let received = text.matches("Received: ").count();
    assert_eq!(received, 2, "as a submission, and as inbound mail: {text}");
    let trace = relay.trace_until(&submitted.transaction(), "delivered");
    assert!(
        trace.contains("attempt 1 for <help@other.example> at inside"),
        "{trace}"
    );
    relay.leaves_nothing(application);
}
