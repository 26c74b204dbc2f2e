//! A message is signed in the form in which it travels: one that a server takes only in 7 bits is
//! converted first, and the signature is of that form.

use crate::{CUSTOMER, Customer, MESSAGE, assert_signed, by_mx, server, zone};
use test_support::DnsServer;

#[test]
fn the_converted_form_is_what_is_signed() {
    let server = server("[ehlo]\nextensions = ['PIPELINING']\n");
    let dns = DnsServer::start(zone());
    let relay = by_mx(&dns, server.address().port())
        .replace("[delivery]", "[delivery]\nconvert-8bit = true");
    let customer = Customer::on(relay.start(), &[CUSTOMER]);
    customer.sign_for(CUSTOMER, &dns);
    let message = MESSAGE.replace("{from}", "help@customer.example");
    let message = message.replace("Hello!", "Gr\u{fc}\u{df}e!");
    customer.submit_text("help@customer.example", &message);
    let taken = server.take();
    assert!(taken.bytes().is_ascii());
    assert_signed(&dns, &taken, CUSTOMER, 1);
    customer.relay.leaves_nothing(server);
}
