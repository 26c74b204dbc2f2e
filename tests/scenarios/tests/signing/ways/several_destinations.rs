//! A message for several destinations is signed once: its signatures are the same everywhere.

use crate::{CUSTOMER, Customer, MESSAGE, assert_signed, by_mx, server, zone};
use test_support::{DnsServer, Sink};

#[test]
fn an_unchanged_form_is_signed_once_for_all_destinations() {
    let (server, mut zone) = (server(""), zone());
    let port = server.address().port();
    let other = Sink::scripted_at(&format!("127.0.0.3:{port}"), "", &[]);
    zone.mx("c.example", 10, "mx.c.example");
    zone.a("mx.c.example", [127, 0, 0, 3].into());
    let dns = DnsServer::start(zone);
    let customer = Customer::on(by_mx(&dns, port).start(), &[CUSTOMER]);
    customer.sign_for(CUSTOMER, &dns);
    let from = "help@customer.example";
    let client = customer.relay.client("submission");
    let mut client = client.authenticated(&customer.user, &customer.secret);
    let message = MESSAGE.replace("{from}", from);
    let to = ["x@b.example", "y@c.example"];
    let reply = client.deliver(from, &to, message.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    let (one, another) = (server.take(), other.take());
    assert_signed(&dns, &one, CUSTOMER, 1);
    assert_eq!(one.bytes(), another.bytes());
    let signed = "gatepost_signatures_total{result=\"signed\"}";
    assert_eq!(customer.relay.metric(signed), Some(1.0));
    drop((client, other));
    customer.relay.leaves_nothing(server);
}
