//! A token by a refresh token (RFC 6749 section 6): the one that the answer brings is used from
//! then on, also after the relay was killed, and stands in no file in plain.

use std::fs;
use std::path::Path;

use super::{Provider, service};
use crate::{Service, submit};

#[test]
fn a_rotated_refresh_token_survives_a_kill() {
    let provider = Provider::start();
    let service = Service::start(&service("{ name = 'desk', token = 'access' }"));
    let keys = provider.keys("refresh-token") + "user = 'desk'\nrefresh-token = 'first-refresh'\n";
    let mut relay = provider.trusted_by(service.relay(&keys)).start();
    // Each is too short for a second session.
    provider
        .server
        .answer_token("access", 20, Some("second-refresh"));
    provider.server.answer_token("access", 20, None);
    submit(&relay, &["x@elsewhere.example"]);
    let taken = service.sink.take();
    assert_eq!(taken.user.as_deref(), Some("desk"));
    relay.eventually("the queue is empty", |relay| {
        relay
            .json(&["queue", "list", "--messages"])
            .is_empty()
            .then_some(())
    });

    relay.restart();
    submit(&relay, &["y@elsewhere.example"]);
    service.sink.take();
    let asked = provider.server.requests();
    let asked: Vec<_> = asked
        .iter()
        .map(|request| {
            let field = |name: &str| request.fields[name].as_str();
            (field("grant_type"), field("refresh_token"))
        })
        .collect();
    assert_eq!(
        asked,
        [
            ("refresh_token", "first-refresh"),
            ("refresh_token", "second-refresh")
        ]
    );
    assert_in_no_file(&relay.directory().join("store"), b"second-refresh");
    relay.leaves_nothing(service.sink);
}

fn assert_in_no_file(folder: &Path, secret: &[u8]) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            assert_in_no_file(&path, secret);
        } else if kind.is_file() {
            let text = fs::read(&path).unwrap_or_default();
            let found = text.windows(secret.len()).any(|part| part == secret);
            assert!(!found, "{}", path.display());
        }
    }
}
