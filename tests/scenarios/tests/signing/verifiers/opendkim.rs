//! opendkim, with which most of the world verifies, verifies what the relay signs.

use std::fs;
use std::process::Command;

use crate::{CUSTOMER, Customer, by_mx, server, zone};
use test_support::{DnsServer, debian};

#[test]
fn opendkim_verifies_the_signature() {
    let Some(opendkim) = debian("opendkim", "opendkim") else {
        return;
    };
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let customer = Customer::on(by_mx(&dns, server.address().port()).start(), &[CUSTOMER]);
    customer.sign_for(CUSTOMER, &dns);
    customer.submit("help@customer.example");
    let taken = server.take();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(
        path("records"),
        crate::record_lines(&customer.dkim(&["show", CUSTOMER])),
    )
    .unwrap();
    let settings = format!("Mode v\nTestPublicKeys {}\n", path("records").display());
    fs::write(path("conf"), settings).unwrap();
    for (text, verifies) in [
        (taken.text(), true),
        (taken.text().replace("Hello!", "Send money!"), false),
    ] {
        fs::write(path("message"), text).unwrap();
        let mut verifier = Command::new(&opendkim);
        verifier
            .arg("-x")
            .arg(path("conf"))
            .arg("-t")
            .arg(path("message"));
        let output = verifier.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            said.contains("verification (s=desk-rsa-1, d=customer.example, 2048-bit key")
                && said.contains("succeeded"),
            verifies,
            "{said}"
        );
    }
    customer.relay.leaves_nothing(server);
}
