//! A customer's connection is authorized at the customer's own token server, which may not be in the
//! relay's network unless the operator allows it. A refresh token that the server replaces is the
//! one that is used after a restart.

use test_support::TokenServer;

use crate::{DEVICE, LOOPBACK_ALLOWED, Service, by_consent, by_token, with_customer};

const AUTHORIZE: [&str; 5] = [
    "connection",
    "authorize",
    "outlook",
    "--account",
    "acme.desk.test",
];

fn add(customer: &crate::Customer, service: &Service, tokens: &TokenServer) {
    let settings = format!(
        "host = '127.0.0.1'\nport = {}\nserves = ['@acme.test']\n{}{}",
        service.sink.address().port(),
        service.ca(),
        by_consent(tokens)
    );
    let file = customer.relay.directory().join("oauth-settings");
    std::fs::write(&file, settings).unwrap();
    let file = file.to_str().unwrap();
    let add = [
        "connection",
        "add",
        "outlook",
        "--account",
        "acme.desk.test",
    ];
    (customer.relay).json(&[&add[..], &["--settings", file]].concat());
}

#[test]
fn a_customers_connection_is_authorized_at_a_permitted_server() {
    let tokens = TokenServer::start();
    let service = Service::start(&by_token("access-two"));
    let customer = with_customer("");
    add(&customer, &service, &tokens);
    let error = customer.relay.refuses(&AUTHORIZE);
    assert!(error.contains("127.0.0.1"), "{error}");
    assert!(tokens.requests().is_empty());
    drop(customer);

    let mut customer = with_customer(LOOPBACK_ALLOWED);
    add(&customer, &service, &tokens);
    tokens.answer("200 OK", DEVICE);
    // It ends at once, and another takes its place.
    tokens.answer_token("access-one", 1, Some("refresh-one"));
    let printed = customer.relay.json(&AUTHORIZE);
    assert_eq!(printed[0]["code"], "WDJB-MJHT", "{printed:?}");
    assert_eq!(printed[1]["state"], "authorized", "{printed:?}");
    customer.relay.restart();
    tokens.answer_token("access-two", 3600, Some("refresh-two"));
    customer.submit(&["x@elsewhere.example"]);
    assert_eq!(service.sink.take().user.as_deref(), Some("desk"));
    let last = tokens.requests().pop().unwrap();
    assert_eq!(last.fields["refresh_token"], "refresh-one");
    let show = [
        "connection",
        "show",
        "outlook",
        "--account",
        "acme.desk.test",
    ];
    let shown = customer.relay.json(&show).remove(0);
    assert_eq!(shown["authorization"], serde_json::json!({}), "{shown}");
    customer.relay.leaves_nothing(service.sink);
}
