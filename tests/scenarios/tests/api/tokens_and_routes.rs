//! For every route and every kind of token, the status follows from the table of routes.
//!
//! Each request has a field that no operation knows. Whoever may ask is told so (400), and nothing is
//! done; whoever may not is refused before (401, 403 or 404).

use gatepost_api::table::ROUTES;
use gatepost_api::{ApiRoute, HttpMethod, RouteReach};
use gatepost_directory::ApiScope;
use serde_json::{Value, json};
use test_support::{Relay, Sink};

use crate::{account, with_api};

/// Field that no operation knows.
const UNKNOWN: &str = "no-such-field";

/// Account of a token.
#[derive(Debug, Clone, Copy, PartialEq)]
enum BoundTo {
    Nothing,
    ThisAccount,
    Another,
}

/// Kind of a token.
#[derive(Debug, Clone, Copy)]
enum TokenKind {
    /// None that is in force.
    NotInForce,
    /// One of a scope, for the site or an account.
    Of(ApiScope, BoundTo),
}

/// Returns the status that the table says.
fn expected(route: &ApiRoute, kind: TokenKind) -> u16 {
    let TokenKind::Of(scope, bound) = kind else {
        return 401;
    };
    let names_account = route.parameters().any(|name| name == "account");
    let names_message = route.parameters().any(|name| name == "message");
    match (scope.includes(route.scope), route.reach, bound) {
        (false, ..) => 403,
        (true, RouteReach::Site, BoundTo::ThisAccount | BoundTo::Another) => 403,
        (true, _, BoundTo::Another) if names_account || names_message => 404,
        // No authorization of a connection is under way.
        (true, ..) if route.parameters().any(|name| name == "authorization") => 404,
        (true, ..) => 400,
    }
}

/// Returns the path with things that the account has in the place of its parameters.
fn path_of(route: &ApiRoute, things: &[(&str, String)]) -> String {
    let part = |part: &str| {
        let name = part.strip_prefix('{').and_then(|of| of.strip_suffix('}'));
        let thing = name.and_then(|name| things.iter().find(|(of, _)| *of == name));
        match (name, thing) {
            (None, _) => part.to_owned(),
            (Some(_), Some((_, thing))) => thing.clone(),
            (Some(_), None) => "1".to_owned(),
        }
    };
    let parts: Vec<_> = route.path.split('/').map(part).collect();
    parts.join("/")
}

/// Returns one thing of the account for each parameter that names one.
fn things(relay: &Relay, token: &str, account: &str) -> Vec<(&'static str, String)> {
    let api = |method: &str, path: &str, body: Value| {
        let path = format!("/accounts/{account}/{path}");
        relay.api(method, &path, token, &body)
    };
    let asked = json!({"address": "help@a.desk.test"});
    api("POST", "addresses", asked).with_status(201);
    let asked = json!({"domain": "customer.example", "kind": "two-way", "protocol": "PLAIN"});
    let connector = api("POST", "connectors", asked)
        .with_status(201)
        .text_of("id");
    let credential = api("POST", "credentials", json!({})).with_status(201);
    let entry = json!({"entry": "ann@partner.example"});
    api("POST", "partners", entry).with_status(200);
    let partners = api("GET", "partners", Value::Null).with_status(200);
    let list = partners.body["lists"][0]["id"].to_string();
    let import = api("POST", "partner-imports", json!({})).with_status(201);
    let mut client = relay.client("mx");
    client.ehlo();
    let message = b"Subject: hello\r\n\r\nHello!\r\n";
    let sent = client.deliver("ann@customer.example", &["help@a.desk.test"], message);
    assert_eq!(sent.unwrap().code, 250);
    let queued = relay.json(&["queue", "list", "--messages"]);
    vec![
        ("account", account.to_owned()),
        ("connector", connector),
        ("credential", credential.text_of("user-name")),
        ("domain", "a.desk.test".to_owned()),
        ("address", "help@a.desk.test".to_owned()),
        ("correspondent", "ann@customer.example".to_owned()),
        ("list", list),
        ("import", import.body["import"].to_string()),
        ("message", queued[0]["id"].as_str().unwrap().to_owned()),
    ]
}

#[test]
fn each_token_may_do_what_the_table_says_and_nothing_else() {
    let sink = Sink::with(&["--tempfail-first", "1000"]);
    let relay = with_api(&sink)
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .start();
    let site = relay.api_token("administer", &[]);
    let own = account(&relay, &site, "a.desk.test");
    let other = account(&relay, &site, "b.desk.test");
    let things = things(&relay, &site, &own);

    let expired = relay.api_token("administer", &["--expires", "1s"]);
    relay.eventually("the token has expired", |relay| {
        let asked = relay.api("GET", "/accounts", &expired, &Value::Null);
        (asked.status == 401).then_some(())
    });
    let unknown = format!("gatepost_{}_{}", "a".repeat(12), "A".repeat(43));
    let mut tokens = vec![
        (String::new(), TokenKind::NotInForce),
        (unknown, TokenKind::NotInForce),
        (expired, TokenKind::NotInForce),
    ];
    for scope in [ApiScope::Read, ApiScope::Operate, ApiScope::Administer] {
        for (bound, arguments) in [
            (BoundTo::Nothing, vec![]),
            (BoundTo::ThisAccount, vec!["--account", &own]),
            (BoundTo::Another, vec!["--account", &other]),
        ] {
            let token = relay.api_token(scope.word(), &arguments);
            tokens.push((token, TokenKind::Of(scope, bound)));
        }
    }
    let mut wrong = Vec::new();
    for route in ROUTES {
        let path = path_of(route, &things);
        for (token, kind) in &tokens {
            let answer = match route.method {
                HttpMethod::Get => {
                    let path = format!("{path}?{UNKNOWN}=1");
                    relay.api("GET", &path, token, &Value::Null)
                }
                method => relay.api(method.word(), &path, token, &json!({ UNKNOWN: 1 })),
            };
            let expected = expected(route, *kind);
            let names_it = answer.body["field"] == UNKNOWN;
            if answer.status != expected || (expected == 400) != names_it {
                let said = &answer.text;
                wrong.push(format!(
                    "{} {path} {kind:?}: {expected} is expected: {} {said}",
                    route.method, answer.status
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let cancelled = relay.api("POST", "/queue/cancel", &site, &json!({"all": true}));
    cancelled.with_status(200);
    relay.leaves_nothing(sink);
}
