//! An Exim that is set up by the instructions, line by line, relays to us.

use test_support::{Client, Exim, EximLines};

use super::lines::below;
use crate::Site;

#[test]
fn exim_relays_by_these_lines() {
    let site = Site::start("");
    let (user, secret) = site.credential();
    let text = site.instructions("exim");
    assert!(!text.contains(&secret));
    let text = text
        .replace("/etc/ssl/certs/ca-certificates.crt", "{home}/ca.pem")
        .replace("/etc/exim4/gatepost_passwd", "{home}/gatepost_passwd")
        .replace("THE-SECRET", &secret);
    let lines = EximLines {
        main: below(&text, "Add to the main section"),
        routers: below(&text, "Add behind `begin routers`"),
        transports: below(&text, "Add behind `begin transports`"),
        authenticators: below(&text, "Add behind `begin authenticators`"),
    };
    let files = [
        (
            "gatepost_passwd",
            below(&text, "Write `{home}/gatepost_passwd`"),
        ),
        ("ca.pem", site.certificate()),
        ("hosts", format!("{} mx.desk.example\n", site.inbound.ip())),
    ];
    let Some(exim) = Exim::set_up(&lines, &files) else {
        return;
    };
    for address in ["help@customer.test", "Sales@Customer.test"] {
        let mut client = Client::greeted(exim.address());
        client.ehlo();
        let message = b"From: Ann <ann@author.example>\r\nSubject: question\r\n\r\nHello!\r\n";
        let reply = client.deliver("ann@author.example", &[address], message);
        assert_eq!(reply.unwrap().code, 250);
        let taken = site.sink.take();
        assert!(taken.to[0].eq_ignore_ascii_case(address), "{:?}", taken.to);
        assert_eq!(taken.header("X-Gatepost-Tags").unwrap(), "relay-secure");
        let received = taken.header("Received").unwrap();
        assert!(received.contains(" with ESMTPSA id "), "{received}");
    }
    exim.drained();
    drop(exim);
    let shown = site.relay.json(&["credential", "show", &user]).remove(0);
    assert!(shown["last-used"].is_u64(), "{shown}");
    site.relay.leaves_nothing(site.sink);
}
