//! Both forms of a record are printed: the TXT record in strings of 255 octets, and the alias into
//! the site's own zone, with the record for that. A key that is published by the alias is seen.

use crate::{CUSTOMER, Customer, by_mx, server, states, zone};
use test_support::DnsServer;

#[test]
fn a_record_can_stand_in_the_sites_own_zone() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let relay =
        by_mx(&dns, server.address().port()).replace("[dkim]", "[dkim]\nzone = \"keys.desk.test\"");
    let customer = Customer::on(relay.start(), &[CUSTOMER]);
    let keys = customer.dkim(&["generate", CUSTOMER]);
    for key in &keys {
        let record = &key["record"];
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let strings = record["strings"].as_array().unwrap().iter().map(text);
        let strings: Vec<_> = strings.collect();
        assert!(strings.iter().all(|string| string.len() <= 255));
        let (name, target) = (text(&record["name"]), text(&record["alias"]["target"]));
        assert!(target.ends_with(".keys.desk.test"), "{target}");
        assert_eq!(
            text(&record["alias"]["line"]),
            format!("{name}. IN CNAME {target}.")
        );
        let line = text(&record["alias"]["site-line"]);
        assert_eq!(line, text(&record["line"]).replacen(&name, &target, 1));
        for string in &strings {
            assert!(line.contains(&format!("\"{string}\"")), "{line}");
        }
        let strings: Vec<_> = strings.iter().map(String::as_bytes).collect();
        dns.zone()
            .cname(&name, &target)
            .txt_strings(&target, &strings);
    }
    // Of RSA the text is longer than one string, of Ed25519 it is the bare 32 octets.
    assert_eq!(keys[0]["record"]["strings"].as_array().unwrap().len(), 2);
    let bare = keys[1]["record"]["strings"][0].as_str().unwrap();
    assert_eq!(bare.len(), "v=DKIM1; k=ed25519; p=".len() + 44);
    assert_eq!(
        states(&customer.dkim(&["check", CUSTOMER])),
        ["active", "active"]
    );
    let shown = customer.relay.command(&["dkim", "show", CUSTOMER]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains(" IN TXT ( \"v=DKIM1; k=rsa; p="), "{shown}");
    assert!(shown.contains(" IN CNAME desk-rsa-1."), "{shown}");
    customer.relay.leaves_nothing(server);
}
