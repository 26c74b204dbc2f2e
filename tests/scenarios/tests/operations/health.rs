//! `/healthz` says whether the relay is alive, `/readyz` whether it takes mail: not once it is
//! stopping, while what is in hand still finishes.

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn a_relay_that_stops_is_alive_and_not_ready() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address())
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .start();
    assert_eq!(relay.page("/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(relay.page("/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(relay.page("/nowhere").0, 404);

    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<x@desk.example>", 250);
    client.command("DATA", 354);
    relay.signal("TERM");
    relay.logged("stopping");
    let stopping = relay.eventually("it is not ready", |relay| {
        let (status, why) = relay.page("/readyz");
        (status == 503).then_some(why)
    });
    assert_eq!(stopping, "the relay is stopping\n");
    assert_eq!(relay.page("/healthz").0, 200);
    client.send([MESSAGE, b".\r\n"].concat()).unwrap();
    client.expect(250);
    drop(client);
    assert!(relay.process().wait().success());
}
