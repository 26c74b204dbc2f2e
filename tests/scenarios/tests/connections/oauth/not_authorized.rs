//! What the token server refuses, and what nobody consents to, ends the command with the reason, and
//! stores nothing.

use test_support::TokenServer;

use crate::{DEVICE, Service, USER, by_consent, by_token};

#[test]
fn a_refusal_ends_the_command_with_its_reason() {
    let tokens = TokenServer::start();
    let service = Service::start(&by_token("access"));
    let relay = service.relay(&by_consent(&tokens)).start();
    let authorize = ["connection", "authorize", "desk"];
    for (code, words) in [
        ("access_denied", "somebody has to consent"),
        ("expired_token", "not entered in time"),
    ] {
        tokens.answer("200 OK", DEVICE);
        tokens.answer_error("authorization_pending", "wait");
        tokens.answer_error(code, "no, says Ann");
        let error = relay.refuses(&authorize);
        assert!(
            error.contains(words) && error.contains("no, says Ann"),
            "{error}"
        );
    }
    tokens.answer_error("invalid_client", "who is that?");
    let error = relay.refuses(&authorize);
    assert!(error.contains("check the client's id"), "{error}");
    // An access token alone would last for an hour.
    tokens.answer("200 OK", DEVICE);
    tokens.answer_token("access", 3600, None);
    let error = relay.refuses(&authorize);
    assert!(error.contains("offline access"), "{error}");
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert!(shown["authorization"].is_null(), "{shown}");
    assert!(!relay.directory().join("store/tokens").exists());

    let without = by_consent(&tokens).replace("device-url", "#");
    relay.reloads(&service.relay(&without));
    let error = relay.refuses(&authorize);
    assert!(error.contains("has no `device-url`"), "{error}");
    relay.reloads(&service.relay(USER));
    let error = relay.refuses(&authorize);
    assert!(
        error.contains("does not log in by a refresh token"),
        "{error}"
    );
    relay.leaves_nothing(service.sink);
}
