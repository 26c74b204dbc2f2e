//! SCRAM-SHA-256 under TLS (RFC 5802, RFC 7677), bound to the connection or not (RFC 9266): the
//! password is not said, and each side proves itself to the other.

use test_support::{Client, RelayBuilder, Scram, Sink};

use crate::MESSAGE;

fn secured(relay: &test_support::Relay) -> Client {
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    client
}

#[test]
fn scram_accepts_the_password() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    for plus in [false, true] {
        let mut client = secured(&relay);
        let (mechanism, mut scram) = match plus {
            false => ("SCRAM-SHA-256", Scram::new("user", "secret")),
            true => {
                let binding = client.binding();
                (
                    "SCRAM-SHA-256-PLUS",
                    Scram::bound("user", "secret", binding),
                )
            }
        };
        assert_eq!(client.scram(mechanism, &mut scram).code, 235);
        let to = ["x@elsewhere.example"];
        let reply = client.deliver("user@desk.example", &to, MESSAGE);
        assert_eq!(reply.unwrap().code, 250);
        let received = sink.take().header("Received").unwrap();
        assert!(received.contains(" with ESMTPSA id "), "{received}");
    }
    relay.leaves_nothing(sink);
}

#[test]
fn scram_refuses_a_wrong_password() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = secured(&relay);
    let wrong = client.scram("SCRAM-SHA-256", &mut Scram::new("user", "wrong"));
    assert_eq!((wrong.code, wrong.enhanced()), (535, Some("5.7.8")));
    let nobody = client.scram("SCRAM-SHA-256", &mut Scram::new("nobody", "secret"));
    assert_eq!(nobody, wrong);
    client.command("MAIL FROM:<user@desk.example>", 530);

    // The connection of somebody in the middle is another.
    let mut middle = Scram::bound("user", "secret", [0; 32]);
    assert_eq!(client.scram("SCRAM-SHA-256-PLUS", &mut middle).code, 535);
    // It was told that we cannot bind, and we can.
    let mut misled = Scram::new("user", "secret");
    misled.gs2 = "y,,".to_owned();
    assert_eq!(client.scram("SCRAM-SHA-256", &mut misled).code, 535);
    client.command("MAIL FROM:<user@desk.example>", 530);
    drop(client);
    relay.leaves_nothing(sink);
}

/// Until the client has seen our proof, it has not logged in.
#[test]
fn a_client_that_takes_back_its_word_is_nobody() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = secured(&relay);
    let mut scram = Scram::new("user", "secret");
    let first = client.command(&format!("AUTH SCRAM-SHA-256 {}", scram.first()), 334);
    let receipt = client.command(&scram.last(&first.text()), 334);
    assert!(scram.accepts(&receipt.text()));
    client.command("*", 501);
    client.command("MAIL FROM:<user@desk.example>", 530);
    assert_eq!(client.scram("SCRAM-SHA-256", &mut scram).code, 235);
    client.command("MAIL FROM:<user@desk.example>", 250);
    drop(client);
    relay.leaves_nothing(sink);
}
