//! A key whose record is gone signs no more, with a warning, and signs again when the record is
//! back. A name server that does not answer changes nothing.

use crate::{
    CUSTOMER, Customer, assert_signed, assert_unsigned, by_mx, publish, record_name, server,
    states, zone,
};
use test_support::DnsServer;
use test_support::zone::Fault;

#[test]
fn a_lost_key_does_not_sign_and_says_so() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let customer = Customer::on(by_mx(&dns, server.address().port()).start(), &[CUSTOMER]);
    customer.sign_for(CUSTOMER, &dns);
    let keys = customer.dkim(&["show", CUSTOMER]);
    let checked = || customer.dkim(&["check", CUSTOMER]);
    for key in &keys {
        dns.zone().fault(record_name(key), Fault::ServFail);
    }
    let unanswered = checked();
    assert_eq!(states(&unanswered), ["active", "active"]);
    let finding = unanswered[0]["finding"].as_str().unwrap();
    assert!(finding.starts_with("the DNS gave no answer"), "{finding}");
    customer.submit("help@customer.example");
    let taken = server.take();
    for key in &keys {
        dns.zone().forget(record_name(key));
    }
    publish(&dns, &keys);
    assert_signed(&dns, &taken, CUSTOMER, 1);

    for key in &keys {
        dns.zone().forget(record_name(key));
    }
    assert_eq!(states(&checked()), ["lost", "lost"]);
    let warning = customer.relay.logged("the record of a DKIM key is lost");
    assert!(
        warning.contains(CUSTOMER) && warning.contains("WARN"),
        "{warning}"
    );
    customer.submit("help@customer.example");
    assert_unsigned(&server.take());

    publish(&dns, &keys);
    assert_eq!(states(&checked()), ["active", "active"]);
    customer.submit("help@customer.example");
    assert_signed(&dns, &server.take(), CUSTOMER, 1);

    // The account is told of each key.
    let notices = customer.relay.json(&["events", "--kind", "notice"]);
    let account = &customer.relay.json(&["account", "list"])[0]["id"];
    let told = |at: usize, words: &str| {
        let notice = &notices[at];
        assert_eq!(
            (&notice["subject"], &notice["account"]),
            (&"dkim".into(), account)
        );
        let text = notice["text"].as_str().unwrap();
        assert!(text.contains(CUSTOMER) && text.contains(words), "{text}");
    };
    assert_eq!(notices.len(), 4, "{notices:?}");
    told(0, "is lost, and mail is not signed");
    told(1, "is lost, and mail is not signed");
    told(2, "is seen again");
    told(3, "is seen again");
    customer.relay.leaves_nothing(server);
}
