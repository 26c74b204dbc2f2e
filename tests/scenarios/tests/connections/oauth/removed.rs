//! The stored tokens of a connection that is removed go with it, and one that is made again under the
//! same name has to be authorized again.

use test_support::TokenServer;

use crate::{DEVICE, Service, USER, by_consent, by_token};

#[test]
fn tokens_of_a_removed_connection_are_removed() {
    let tokens = TokenServer::start();
    let service = Service::start(&by_token("access"));
    let relay = service.relay(&by_consent(&tokens)).start();
    tokens.answer("200 OK", DEVICE);
    tokens.answer_token("access", 3600, Some("refresh"));
    relay.json(&["connection", "authorize", "desk"]);
    let folder = relay.directory().join("store/tokens");
    let stored = || std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(stored(), 1);
    let others = service
        .relay(USER)
        .replace("[connection.desk]", "[connection.other]");
    relay.reloads(&others.replace("'connection desk'", "'connection other'"));
    relay.eventually("removed", |_| (stored() == 0).then_some(()));
    relay.reloads(&service.relay(&by_consent(&tokens)));
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert!(shown["authorization"].is_null(), "{shown}");
    relay.leaves_nothing(service.sink);
}
