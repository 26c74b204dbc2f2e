//! Where the configuration has no domain, `<Postmaster>` is that of the directory's oldest account:
//! it is always taken (RFC 5321 section 4.5.1).

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted};

#[test]
fn the_oldest_account_has_the_relays_postmaster() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace("domains = [\"desk.example\"]\n", "")
        .start();
    for domain in ["first.desk.test", "second.desk.test"] {
        let native = ["--native-domain", domain, "--product", "Desk"];
        relay.json(&[&["account", "add"], &native[..]].concat());
    }
    for to in ["Postmaster", "postmaster@mx.desk.example"] {
        accepted(&relay, &[to], MESSAGE);
        assert_eq!(sink.take().to, ["postmaster@first.desk.test"]);
    }
    // The relay's own name as a native domain has a postmaster of its own.
    let native = ["--native-domain", "mx.desk.example", "--product", "Desk"];
    relay.json(&[&["account", "add"], &native[..]].concat());
    accepted(&relay, &["Postmaster"], MESSAGE);
    let to = sink.take().to.concat();
    assert!(
        to.eq_ignore_ascii_case("postmaster@mx.desk.example"),
        "{to}"
    );
    relay.leaves_nothing(sink);
}
