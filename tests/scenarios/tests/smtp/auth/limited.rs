//! After so many failures nobody is listened to for a while: nobody at that network address, and
//! nobody who says to be that user, unless it is where this user has logged in before.

use std::net::IpAddr;

use test_support::{Client, Relay, RelayBuilder, Reply, Scram, Sink};

/// A session under TLS of a client at this address.
fn from(relay: &Relay, address: &str) -> Client {
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    let is_v6 = address.parse::<IpAddr>().unwrap().is_ipv6();
    let prefix = if is_v6 { "IPV6:" } else { "" };
    client.command(&format!("XCLIENT ADDR={prefix}{address}"), 220);
    client.ehlo();
    client
}

fn relay(sink: &Sink, limits: &str) -> Relay {
    RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"submission\"",
            "direction = \"submission\"\nxclient-from = [\"127.0.0.1/32\"]",
        )
        .with(&format!("[log-ins]\ndelay = \"0s\"\n{limits}"))
        .start()
}

fn codes(reply: &Reply) -> (u16, &str) {
    (reply.code, reply.enhanced().unwrap_or_default())
}

#[test]
fn an_address_that_guesses_is_limited() {
    let sink = Sink::start();
    let relay = relay(&sink, "failures-per-address = 2");
    let mut guesses = from(&relay, "2001:db8::1");
    assert_eq!(guesses.plain("user", "wrong").code, 535);
    assert_eq!(guesses.plain("nobody", "wrong").code, 535);
    assert_eq!(codes(&guesses.plain("user", "secret")), (454, "4.7.0"));
    let by_scram = guesses.scram("SCRAM-SHA-256", &mut Scram::new("user", "secret"));
    assert_eq!(codes(&by_scram), (454, "4.7.0"));
    // A host has a whole /64, so the next address is no other one; the next network is.
    let mut same_host = from(&relay, "2001:db8::ffff:2");
    assert_eq!(same_host.plain("user", "secret").code, 454);
    assert_eq!(
        from(&relay, "2001:db8:0:1::1").plain("user", "secret").code,
        235
    );
    relay.leaves_nothing(sink);
}

/// However the guesses spell its name.
#[test]
fn guesses_at_an_alias_are_limited() {
    let sink = Sink::start();
    let relay = relay(&sink, "failures-per-user = 2");
    let wrong = |address: &str, user: &str| from(&relay, address).plain(user, "wrong").code;
    assert_eq!(wrong("198.51.100.1", "acme@acme.desk.test"), 535);
    assert_eq!(wrong("198.51.100.2", "ACME@acme.desk.test"), 535);
    assert_eq!(wrong("198.51.100.3", "acme@ACME.desk.test"), 454);
    relay.leaves_nothing(sink);
}

/// Passwords typed into the wrong field, and texts too long for a name, are not logged.
#[test]
fn no_name_in_the_log_is_a_secret() {
    let sink = Sink::start();
    let relay = relay(&sink, "");
    let mut client = from(&relay, "192.0.2.1");
    assert_eq!(client.plain("gpst_typedintothewrongfield", "x").code, 535);
    assert_eq!(client.plain(&"long".repeat(20), "x").code, 535);
    assert_eq!(client.plain(&"long".repeat(64), "x").code, 501);
    assert_eq!(client.plain("somebody", "x").code, 535);
    relay.logged("somebody");
    let log = relay.log();
    assert!(!log.contains("gpst_") && !log.contains("longlong"), "{log}");
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn guesses_at_a_user_from_everywhere_are_limited() {
    let sink = Sink::start();
    let relay = relay(&sink, "failures-per-user = 2");
    let mut at_home = from(&relay, "192.0.2.1");
    assert_eq!(at_home.plain("user", "secret").code, 235);
    for user in ["user", "nobody"] {
        for address in ["198.51.100.1", "198.51.100.2"] {
            assert_eq!(from(&relay, address).plain(user, "wrong").code, 535);
        }
        // Be there such a user or not.
        let third = from(&relay, "198.51.100.3").plain(user, "secret");
        assert_eq!(codes(&third), (454, "4.7.0"), "{user}");
    }
    assert_eq!(from(&relay, "192.0.2.1").plain("user", "secret").code, 235);
    drop(at_home);
    relay.leaves_nothing(sink);
}
