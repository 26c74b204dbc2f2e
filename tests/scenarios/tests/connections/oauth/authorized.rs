//! A person authorizes a connection by the device flow: the command shows page and code, waits, and
//! the mail that was held flows. The refresh token survives a restart, is in no output, and its end
//! is warned of.

use std::fs;
use std::thread;

use serde_json::json;
use test_support::TokenServer;

use crate::{DEVICE, Service, by_consent, by_token, submit, tokens_for_a_week, waits};

#[test]
fn mail_flows_once_a_person_has_consented() {
    let tokens = TokenServer::start();
    let service = Service::start(&by_token("access-of-the-desk"));
    let keys = by_consent(&tokens) + "limits = { messages-per-connection = 1 }\n";
    let builder = service.relay(&keys).environment("RUST_LOG", "debug");
    let mut relay = builder.start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    let (_, reason) = waits(&relay, &id, "gatepost connection authorize");
    assert!(!reason.is_empty());
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(shown["status"]["state"], "broken", "{shown}");
    let words = |relay: &test_support::Relay| {
        let output = relay.command(&["connection", "show", "desk"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(
        words(&relay).contains("authorized     no"),
        "{}",
        words(&relay)
    );

    tokens.answer("200 OK", DEVICE);
    tokens.answer_error("authorization_pending", "wait");
    tokens.answer_error("slow_down", "not so fast");
    tokens.answer(
        "200 OK",
        &tokens_for_a_week("access-of-the-desk", "refresh-one"),
    );
    let printed = thread::scope(|scope| {
        let command = scope.spawn(|| relay.command(&["connection", "authorize", "desk"]));
        tokens.asked(2);
        tokens.hold();
        // It comes back while the consent is still awaited, and so the command's own has.
        let asked = json!({ "operation": "connection-authorization", "request": { "id": 1 } });
        let waiting = relay.ask(&asked);
        assert_eq!(waiting["answer"]["state"], "waiting", "{waiting}");
        tokens.release();
        command.join().unwrap()
    });
    let text = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.status.success(), "{text}");
    for words in [
        "https://login.example/device",
        "WDJB-MJHT",
        "waiting for the consent until",
        "still waiting",
        "authorized; the refresh token expires on 20",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(service.sink.take().user.as_deref(), Some("desk"));

    // Seven days are less than thirty.
    let warned = relay.logged("the authorization of a connection expires soon");
    assert!(warned.contains("desk"), "{warned}");
    let metric = "gatepost_connection_secret_expires{connection=\"desk\"}";
    assert!(relay.metric(metric).unwrap() > 1.7e9);
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(
        shown["authorization"]["expires"],
        shown["authorization-expires-soon"]
    );
    assert!(shown["authorization-expires-soon"].is_u64(), "{shown}");
    let listed = relay.json(&["connection", "list"]).remove(0);
    assert!(listed["authorization-expires-soon"].is_u64(), "{listed}");
    assert!(
        words(&relay).contains("authorized     until 20"),
        "{}",
        words(&relay)
    );

    // Another client's secret does not make the person consent again, and a restart neither.
    builder_with_secret(&service, &keys).write(relay.directory());
    relay.restart();
    let asked = tokens.requests().len();
    submit(&relay, &["y@elsewhere.example"]);
    service.sink.take();
    assert_eq!(tokens.requests().len(), asked, "the access token is kept");

    let asked = tokens.requests();
    let asks = |path: &str| asked.iter().filter(|asked| asked.path == path).count();
    assert_eq!((asks("/device"), asks("/token")), (1, 3));
    let mut outputs = vec![relay.log(), text, words(&relay), shown.to_string()];
    outputs.push(format!("{:?}", relay.json(&["trace", &id])));
    for path in files(&relay.directory().join("store")) {
        let content = fs::read(&path).unwrap_or_default();
        outputs.push(String::from_utf8_lossy(&content).into_owned());
    }
    for secret in [
        "access-of-the-desk",
        "refresh-one",
        "device-code-of-the-relay",
    ] {
        let shown = outputs.iter().find(|text| text.contains(secret));
        assert!(shown.is_none(), "{secret}: {shown:?}");
    }
    relay.leaves_nothing(service.sink);
}

/// The relay, where the client has a secret now.
fn builder_with_secret(service: &Service, keys: &str) -> test_support::RelayBuilder {
    service.relay(&format!("client-secret = 'hush'\n{keys}"))
}

/// All regular files below a folder.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    });
    found.filter(|path| path.is_file()).collect()
}
