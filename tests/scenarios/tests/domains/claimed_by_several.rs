//! A domain that several accounts claim, or none: the account has to be named, or the domain
//! connected, and the command exits with 2.

use test_support::DnsServer;

use crate::{CUSTOMER, NATIVE, Site, check, connect, relay, zone};

#[test]
fn an_account_is_named_where_several_claim_the_domain() {
    let dns = DnsServer::start(zone());
    let site = Site::on(relay(&dns).start(), dns, "two-way");
    site.relay.json(&[
        "account",
        "add",
        "--native-domain",
        "b.desk.example",
        "--product",
        "B",
    ]);
    connect(&site.relay, "b.desk.example", "outbound-only");
    let fails = |arguments: &[&str]| {
        let output = site
            .relay
            .command(&[&["domain", "check"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = fails(&[CUSTOMER]);
    assert!(said.contains("name one with --account"), "{said}");
    assert!(
        check(&site.relay, &[CUSTOMER, "--account", NATIVE])
            .all("forwarding")
            .is_empty()
    );
    let of_b = check(&site.relay, &[CUSTOMER, "--account", "b.desk.example"]);
    assert_eq!(of_b.all("forwarding").len(), 1);
    let said = fails(&["unknown.example"]);
    assert!(said.contains("is no domain of this relay"), "{said}");
    let said = fails(&[CUSTOMER, "--account", "nobody"]);
    assert!(said.contains("there is no account nobody"), "{said}");
    let said = fails(&["-._.-"]);
    assert!(
        said.contains("invalid value") || said.contains("unexpected argument"),
        "{said}"
    );
}
