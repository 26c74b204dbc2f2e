//! A domain below another of the same account is signed for with the key of that other; so it is
//! with one of its own, once that is active. The domain of another account is not.

use crate::{CUSTOMER, Customer, assert_signed, assert_unsigned, by_mx, server, zone};
use test_support::DnsServer;

#[test]
fn the_key_of_the_domain_above_signs_within_the_account() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let news = "news.customer.example";
    let relay = by_mx(&dns, server.address().port()).start();
    let customer = Customer::on(relay, &[CUSTOMER, news, "elsewhere.example"]);
    customer.sign_for(CUSTOMER, &dns);
    customer.submit("help@news.customer.example");
    assert_signed(&dns, &server.take(), CUSTOMER, 1);
    customer.submit("help@elsewhere.example");
    assert_unsigned(&server.take());
    customer.sign_for(news, &dns);
    customer.submit("help@news.customer.example");
    assert_signed(&dns, &server.take(), news, 1);

    // Without the domain, its keys sign no more.
    let connectors = customer.relay.json(&["connector", "list"]);
    let of_news = connectors.iter().find(|of| of["domain"] == news).unwrap();
    let id = of_news["id"].as_str().unwrap();
    customer.relay.json(&["connector", "disconnect", id]);
    let client = customer.relay.client("submission");
    let mut client = client.authenticated(&customer.user, &customer.secret);
    let message = crate::MESSAGE.replace("{from}", "help@news.customer.example");
    let reply = client.deliver(
        "help@news.customer.example",
        &["x@b.example"],
        message.as_bytes(),
    );
    assert_eq!(reply.unwrap().code, 550);
    drop(client);
    customer.relay.leaves_nothing(server);
}
