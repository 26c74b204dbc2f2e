//! Where the best server opens no session, the next by preference gets the mail in the same
//! attempt.

use crate::{MESSAGE, attempt, beside, relay, server, submitted, zone};
use test_support::DnsServer;

const REFUSES: &str = "
    [[on]]
    command = 'CONNECT'
    reply = '554 5.3.2 no mail here'
";

#[test]
fn the_second_server_takes_the_mail_of_one_that_refuses_the_session() {
    let best = server(REFUSES);
    let second = beside(&best, 3, "");
    let dns = DnsServer::start(zone(&[(10, 2), (20, 3)]));
    let relay = relay(&dns, best.address().port()).start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    assert_eq!(second.take().to, ["x@b.example"]);
    best.spoken("554 5.3.2 no mail here");
    let attempt = attempt(&relay, &id, 1);
    assert_eq!(attempt["ending"], "delivered", "{attempt}");
    let server = attempt["server"].as_str().unwrap();
    assert!(server.starts_with("mx3.b.example:"), "{server}");
    relay.leaves_nothing(second);
}

/// Nobody listens at the best server's address.
#[test]
fn the_second_server_takes_the_mail_of_one_that_is_down() {
    let second = server("");
    let dns = DnsServer::start(zone(&[(10, 77), (20, 2)]));
    let relay = relay(&dns, second.address().port()).start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    assert_eq!(second.take().to, ["x@b.example"]);
    assert_eq!(attempt(&relay, &id, 1)["ending"], "delivered");
    relay.leaves_nothing(second);
}
