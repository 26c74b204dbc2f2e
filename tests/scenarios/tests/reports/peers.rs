//! Postfix, Exim and OpenSMTPD take a message by MX and cannot hand it on: the report of each comes
//! back to the return path, in its own words, is recorded for the message, and goes to nobody.

use test_support::{DnsServer, Exim, OpenSmtpd, Postfix, Relay, Sink};

use crate::{relay, report, submitted, zone};

/// Starts a relay, and the peer that sends all of its mail back to it.
fn bounces_to_us<P>(
    start: impl Fn(std::net::SocketAddr) -> Option<P>,
    port: impl Fn(&P) -> u16,
    reporter: &str,
) {
    let dns = DnsServer::start(zone());
    let application = Sink::start();
    let site = |port| relay(&dns, port, application.address());
    let relay: Relay = site(9).start();
    // What the peer hands on comes to our listener, which relays for nobody.
    let Some(peer) = start(relay.address("mx")) else {
        return;
    };
    relay.reloads(&site(port(&peer)));
    let id = submitted(&relay, "x@b.example");
    let read = report(&relay, &id);
    assert_eq!(read["kind"], "failure", "{read}");
    assert_eq!(read["by"], "token", "{read}");
    assert_eq!(read["forged"], false, "{read}");
    assert_eq!(read["reporter"], reporter, "{read}");
    let [recipient] = read["recipients"].as_array().unwrap().as_slice() else {
        panic!("not one recipient: {read}");
    };
    assert_eq!(recipient["address"], "x@b.example", "{read}");
    assert_eq!(recipient["action"], "failed", "{read}");
    assert_eq!(recipient["status"], "5.7.1", "{read}");
    relay.leaves_nothing(application);
}

#[test]
fn a_report_of_postfix_is_matched() {
    bounces_to_us(Postfix::start, |of| of.address().port(), "postfix.example");
}

#[test]
fn a_report_of_exim_is_matched() {
    bounces_to_us(Exim::start, |of| of.address().port(), "exim.example");
}

#[test]
fn a_report_of_opensmtpd_is_matched() {
    let port = |of: &OpenSmtpd| of.address().port();
    bounces_to_us(OpenSmtpd::start, port, "opensmtpd.example");
}
