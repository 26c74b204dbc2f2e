//! Dovecot's submission server, which answers 500 to a long AUTH command and takes tokens that come
//! after its 334: mail goes through it by both mechanisms, with a token of 2,800 octets.

use test_support::{DovecotSubmission, RelayBuilder, Sink, TokenServer};

use super::Provider;
use crate::submit;

const USER: &str = "ann@sender.example";

#[test]
fn mail_goes_through_dovecot_by_a_long_token() {
    for mechanism in ["xoauth2", "oauthbearer"] {
        let (provider, judge, sink) = (Provider::start(), TokenServer::start(), Sink::start());
        let Some(dovecot) =
            DovecotSubmission::start(USER, "secret", &judge.url("/"), sink.address())
        else {
            return;
        };
        let token = "long".repeat(700);
        provider.server.answer_token(&token, 3600, None);
        let good = serde_json::json!({ "active": true, "username": USER });
        judge.answer("200 OK", &good.to_string());
        let relay = RelayBuilder::usual(sink.address()).with(&format!(
            "[routes]\nsubmission = 'connection desk'\n[connection.desk]\nhost = '127.0.0.1'\n\
             port = {}\nca = {{ file = {:?} }}\nmechanisms = ['{mechanism}']\n{}",
            dovecot.address().port(),
            dovecot.certificate(),
            provider.by_client_credentials(),
        ));
        let relay = provider.trusted_by(relay).start();
        let id = submit(&relay, &["x@elsewhere.example"]);
        let taken = sink.take();
        assert_eq!((&*taken.from, &*taken.to[0]), (USER, "x@elsewhere.example"));
        assert!(
            taken.text().ends_with("\r\n\r\nHello!\r\n"),
            "{}",
            taken.text()
        );
        // The judge was shown the whole token, in the first session.
        let asked = judge.requests();
        assert_eq!(asked.len(), 1, "{mechanism}");
        assert_eq!(asked[0].fields["token"], token);
        let attempt = relay.eventually("it is delivered", |relay| {
            relay.events(&id, "attempt").pop()
        });
        assert_eq!(attempt["ending"], "delivered", "{attempt}");
        relay.leaves_nothing(sink);
    }
}
