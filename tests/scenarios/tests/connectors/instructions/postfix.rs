//! A Postfix that is set up by the instructions, line by line, relays to us.

use test_support::{Postfix, debian_library};

use super::lines::below;
use crate::Site;

#[test]
fn postfix_relays_by_these_lines() {
    if !debian_library("libsasl2-modules") {
        return;
    }
    let site = Site::start("");
    let (user, secret) = site.credential();
    let text = site.instructions("postfix");
    assert!(!text.contains(&secret));
    let text = text
        .replace("/etc/ssl/certs/ca-certificates.crt", "{home}/ca.pem")
        .replace("/etc/postfix/", "{home}/")
        .replace("THE-SECRET", &secret);
    let file = |name: &str| below(&text, &format!("Write `{{home}}/{name}`"));
    let files = [
        ("gatepost_transport", file("gatepost_transport")),
        ("gatepost_passwd", file("gatepost_passwd")),
        ("gatepost_egress", file("gatepost_egress")),
        ("ca.pem", site.certificate()),
        ("hosts", format!("{} mx.desk.example\n", site.inbound.ip())),
    ];
    let main = below(&text, "Add to `{home}/main.cf`");
    let services = below(&text, "Add to `{home}/master.cf`");
    let Some(postfix) = Postfix::set_up(&main, &services, &files) else {
        return;
    };
    for address in ["help@customer.test", "Sales@Customer.test"] {
        let message = b"From: Ann <ann@author.example>\r\nSubject: question\r\n\r\nHello!\r\n";
        postfix.sendmail("ann@author.example", &[address], message);
        let taken = site.sink.take();
        assert!(taken.to[0].eq_ignore_ascii_case(address), "{:?}", taken.to);
        assert_eq!(taken.header("X-Gatepost-Tags").unwrap(), "relay-secure");
        let received = taken.header("Received").unwrap();
        assert!(received.contains(" with ESMTPSA id "), "{received}");
    }
    postfix.drained();
    drop(postfix);
    let shown = site.relay.json(&["credential", "show", &user]).remove(0);
    assert!(shown["last-used"].is_u64(), "{shown}");
    site.relay.leaves_nothing(site.sink);
}
