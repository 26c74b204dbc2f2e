//! An error from fsync ends the process: the kernel may have thrown away what it could not write,
//! so that a second attempt would report a success that is none.

use test_support::torture::{PowerLoss, power::Mode};
use test_support::{RelayBuilder, Sink};

#[test]
fn an_fsync_error_ends_the_relay_with_a_reason() {
    let power = PowerLoss::new(Mode::Fail);
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address()).directory(power.directory());
    let mut relay = power.under(builder).start();
    let message = b"From: <a@sender.example>\r\n\r\nbody\r\n";
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client
        .deliver("a@sender.example", &["b@desk.example"], message)
        .unwrap();
    assert_eq!(reply.code, 250);
    sink.take();

    power.fail();
    // The client is left without an answer rather than with a wrong one.
    let answer = client.deliver("a@sender.example", &["b@desk.example"], message);
    assert!(
        !answer.is_ok_and(|reply| reply.code == 250),
        "no 250 without fsync"
    );
    let status = relay.process().wait();
    assert!(!status.success(), "{status}");
    assert!(
        relay.log().contains("fsync") || relay.log().contains("disk I/O"),
        "{}",
        relay.log()
    );
}
