//! A person authorizes a connection by the device flow: the command shows page and code, waits, and
//! the mail that was held flows. The refresh token survives a restart, is in no output, and its end
//! is warned of.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::{Value, json};
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
    let socket = relay.directory().join("store/control.sock");
    let printed = thread::scope(|scope| {
        let waited = scope.spawn(|| {
            tokens.asked(2);
            tokens.hold();
            // It comes back while the consent is still awaited, and so the command's own has.
            let waiting = waits_for_authorization(&socket).unwrap();
            tokens.release();
            waiting
        });
        let printed = relay.command(&["connection", "authorize", "desk"]);
        let waiting = waited.join().unwrap();
        assert_eq!(waiting["answer"]["state"], "waiting", "{waiting}");
        printed
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
    assert!(relay.terminate().success());
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
    for path in files(&relay.directory().join("store/tokens")) {
        let content = fs::read(&path).unwrap_or_default();
        outputs.push(String::from_utf8_lossy(&content).into_owned());
    }
    assert!(outputs.len() > 5, "no tokens are stored");
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

/// Asks the relay to wait for its first authorization; returns the answer.
fn waits_for_authorization(socket: &Path) -> io::Result<Value> {
    let mut stream = UnixStream::connect(socket)?;
    let asked = json!({ "operation": "connection-authorization", "request": { "id": 1 } });
    writeln!(stream, "{asked}")?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

/// All regular files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    });
    found.filter(|path| path.is_file()).collect()
}
