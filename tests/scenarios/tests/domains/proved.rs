//! A domain is proved by a TXT record with the account's own token: without it, with that of
//! another account, or without an answer nothing changes.

use crate::{CUSTOMER, NATIVE, Site, check, connect, zone};
use test_support::zone::Fault;

const NAME: &str = "_gatepost.customer.example";

#[test]
fn only_the_accounts_own_token_proves_the_domain() {
    let site = Site::start(zone(), "outbound-only");
    let relay = &site.relay;
    let prove = ["connector", "prove", site.connector.as_str()];
    let said = relay.refuses(&prove);
    assert!(said.contains("publish this record and try again"), "{said}");
    let wanted = check(relay, &[CUSTOMER]).paste("ownership").remove(0);
    assert!(
        said.replace(' ', "").contains(&wanted.replace(' ', "")),
        "{said}"
    );
    let own = wanted.split('"').nth(1).unwrap().to_owned();
    let token = own.strip_prefix("gatepost-verification=").unwrap();
    assert_eq!(token.len(), 20);

    // Another account has another token.
    relay.json(&[
        "account",
        "add",
        "--native-domain",
        "b.desk.example",
        "--product",
        "B",
    ]);
    let squatter = connect(relay, "b.desk.example", "outbound-only");
    let of_b = check(relay, &[CUSTOMER, "--account", "b.desk.example"]);
    let other = of_b.paste("ownership").remove(0);
    let other = other.split('"').nth(1).unwrap().to_owned();
    assert_ne!(own, other);
    site.dns.zone().txt(NAME, &other);
    let said = relay.refuses(&prove);
    assert!(
        said.contains("for another account or another domain"),
        "{said}"
    );

    site.dns.zone().forget(NAME).fault(NAME, Fault::ServFail);
    let said = relay.refuses(&prove);
    assert!(said.contains("the DNS does not say whether"), "{said}");
    let shown = relay.json(&["connector", "show", &site.connector]);
    assert_eq!(shown[0]["state"], "claimed");

    site.dns
        .zone()
        .forget(NAME)
        .txt(NAME, "something else")
        .txt(NAME, &own);
    let proved = relay.json(&prove);
    assert_eq!(proved[0]["state"], "verified");
    // The record of the other account is there, too, and comes too late.
    site.dns.zone().txt(NAME, &other);
    let said = relay.refuses(&["connector", "prove", &squatter]);
    assert!(said.contains("already belongs to account"), "{said}");
}

#[test]
fn a_new_key_of_the_ring_does_not_void_the_token() {
    let site = Site::start(zone(), "outbound-only");
    let wanted = site.check().paste("ownership");
    site.relay.json(&["directory", "rekey"]);
    assert_eq!(site.check().paste("ownership"), wanted);
    let text = wanted[0].split('"').nth(1).unwrap();
    site.dns.zone().txt(NAME, text);
    assert_eq!(site.check().one("ownership"), "right");
    site.relay.json(&["connector", "prove", &site.connector]);
    let account = site.relay.json(&["connector", "list", "--account", NATIVE]);
    assert_eq!(account[0]["state"], "verified");
}
