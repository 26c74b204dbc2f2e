//! The relay serves without its certificate authority, waits as long as that says, and says why it has
//! no certificate.

use test_support::{AcmeServer, RelayBuilder, Sink, free_port};

use super::shown;
use crate::{MESSAGE, accepted};

#[test]
fn a_relay_starts_without_its_authority_and_gets_the_certificate_later() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, authority) = (Sink::start(), AcmeServer::start(folder.path()));
    authority.set_down(true);
    let relay = RelayBuilder::usual(sink.address())
        .with(&authority.settings("tls-alpn-01"))
        .start();
    authority.names_lead_to(relay.address("acme"));
    let said = relay.logged("no valid certificate");
    assert!(
        said.contains("503") && said.contains("next_attempt"),
        "{said}"
    );
    accepted(&relay, &["user@desk.example"], MESSAGE);
    sink.take();
    authority.set_down(false);
    relay.logged("certificate issued");
    assert_eq!(shown(&relay, "mx.desk.example"), authority.issued(1)[0]);
    relay.leaves_nothing(sink);
}

#[test]
fn the_wait_that_the_authority_demands_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, authority) = (Sink::start(), AcmeServer::start(folder.path()));
    authority.refuse_orders(1, "rateLimited", Some(86_400));
    let mut relay = RelayBuilder::usual(sink.address())
        .with(&authority.settings("http-01"))
        .start();
    authority.names_lead_to(relay.address("acme"));
    let said = relay.logged("no valid certificate");
    assert!(said.contains("rateLimited"), "{said}");
    let next = at(&relay.logged("next order of a certificate"));
    let asked = authority.requests().len();
    assert!(relay.terminate().success());
    relay.restart();
    assert_eq!(at(&relay.logged("next order of a certificate")), next);
    assert_eq!(authority.requests().len(), asked);

    // Other names are another order.
    let other = RelayBuilder::usual(sink.address())
        .with(&authority.settings("http-01"))
        .replace("mx.desk.example\"]", "mx2.desk.example\"]");
    let reloaded = relay.reloads(&other);
    let looked_at = reloaded["listening"]["acme"].as_str().unwrap();
    authority.names_lead_to(looked_at.parse().unwrap());
    relay.logged("certificate issued");
    relay.leaves_nothing(sink);
}

#[test]
fn a_name_that_leads_elsewhere_is_named_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, authority) = (Sink::start(), AcmeServer::start(folder.path()));
    authority.names_lead_to(free_port());
    let relay = RelayBuilder::usual(sink.address())
        .with(&authority.settings("http-01"))
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .start();
    let said = relay.logged("no valid certificate");
    assert!(
        said.contains("could not validate mx.desk.example"),
        "{said}"
    );
    assert!(relay.metric("gatepost_acme_orders_total{result=\"failed\"}") >= Some(1.0));
    authority.names_lead_to(relay.address("acme"));
    relay.logged("certificate issued");
    relay.leaves_nothing(sink);
}

/// Returns the time in a line of the log.
fn at(line: &str) -> String {
    let time = line
        .split("at=")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    time.unwrap_or_else(|| panic!("no time: {line}")).to_owned()
}
