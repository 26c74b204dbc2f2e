//! The application looks up whether a new user's address is a partner's.

use test_support::Sink;

use crate::{guarded, two};

#[test]
fn the_lookup_names_the_agreement_or_list() {
    let sink = Sink::start();
    let relay = guarded(&sink)
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .start();
    let (a, b) = two(&relay);
    relay.json(&["sharing", "add", "a.desk.test", "b.desk.test"]);
    relay.json(&["partner", "add", &a, "help@b.desk.test"]);
    relay.json(&["partner", "add", &a, "--domain", "whole.example"]);
    let bearer = |arguments: &[&str]| {
        let add = ["token", "add", "helpdesk", "--scope", "read"];
        let added = relay.json(&[&add[..], arguments].concat()).remove(0);
        format!(
            "Authorization: Bearer {}\r\n",
            added["bearer"].as_str().unwrap()
        )
    };
    let of_site = bearer(&[]);
    let page = |path: &str| {
        let (status, body) = relay.page_with(path, &of_site);
        (
            status,
            serde_json::from_str::<serde_json::Value>(&body).unwrap(),
        )
    };
    let (status, found) = page("/accounts/a.desk.test/partners/Help%2B1@b.desk.test");
    assert_eq!(status, 200);
    assert_eq!(
        (&found["partner"], &found["account"]),
        (&true.into(), &a.as_str().into())
    );
    assert_eq!(found["canonical"], "help@b.desk.test");
    assert_eq!(found["by"][0]["source"]["agreement"], b);
    assert_eq!(found["by"][1]["source"], "by-hand");
    let said = relay.json(&["partner", "lookup", "a.desk.test", "Help+1@b.desk.test"]);
    assert_eq!(said, [found]);

    let (_, found) = page(&format!("/accounts/{a}/partners/ann@whole.example"));
    assert_eq!(found["by"][0]["by-domain"], true);
    let (status, found) = page(&format!("/accounts/{b}/partners/ann@whole.example"));
    assert_eq!((status, &found["partner"]), (200, &false.into()));
    for (path, expected, code) in [
        (
            "/accounts/nobody.test/partners/ann@whole.example".to_owned(),
            404,
            "directory.unknown-account",
        ),
        (
            format!("/accounts/{a}/partners/nobody"),
            400,
            "request.not-understood",
        ),
    ] {
        let (status, error) = page(&path);
        assert_eq!((status, &error["code"]), (expected, &code.into()), "{path}");
    }
    // A token of one account finds no other; without one there is no answer.
    let of_b = bearer(&["--account", "b.desk.test"]);
    let path = |account: &str| format!("/accounts/{account}/partners/ann@whole.example");
    assert_eq!(relay.page_with(&path(&b), &of_b).0, 200);
    let (status, foreign) = relay.page_with(&path(&a), &of_b);
    let (_, none) = relay.page_with(&path("nobody.test"), &of_b);
    assert_eq!(status, 404);
    assert_eq!(foreign.replace(&a, "nobody.test"), none);
    for without in [
        "",
        "Authorization: Bearer gatepost_x_y\r\n",
        "Authorization: Basic eDp5\r\n",
    ] {
        let (status, error) = relay.page_with(&path(&b), without);
        assert_eq!(status, 401, "{without}");
        assert!(error.contains("request.token-needed"), "{error}");
    }
    let tokens = relay.json(&["token", "list", "b.desk.test"]);
    assert_eq!(tokens.len(), 1);
    assert!(tokens[0]["last-used"].is_u64() || tokens[0]["last-used"].is_string());
    relay.json(&["token", "remove", tokens[0]["id"].as_str().unwrap()]);
    assert_eq!(relay.page_with(&path(&b), &of_b).0, 401);

    assert_eq!(relay.metric("gatepost_partner_entries"), Some(2.0));
    assert!(relay.metric("gatepost_partner_octets").unwrap() > 0.0);
    let output = relay.command(&["partner", "lookup", "a.desk.test", "ann@customer.example"]);
    assert_eq!(output.status.code(), Some(1));
    relay.leaves_nothing(sink);
}
