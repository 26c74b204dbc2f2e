//! A token by client credentials (RFC 6749 section 4.4): what the token server is asked, and how
//! the token goes to the service, by each mechanism that takes one.

use super::{Provider, service};
use crate::{Service, submit};

#[test]
fn a_token_is_got_by_client_credentials() {
    for mechanism in ["XOAUTH2", "OAUTHBEARER"] {
        let provider = Provider::start();
        let users = "{ name = 'ann@sender.example', token = 'token-1' }";
        let service = Service::start(&service(users));
        let keys = format!(
            "{}scopes = ['mail.send', 'more']\nmechanisms = ['{}']\n",
            provider.by_client_credentials(),
            mechanism.to_lowercase()
        );
        let relay = provider.trusted_by(service.relay(&keys)).start();
        submit(&relay, &["x@elsewhere.example"]);
        let taken = service.sink.take();
        assert_eq!(taken.mechanism.as_deref(), Some(mechanism));
        assert_eq!(taken.user.as_deref(), Some("ann@sender.example"));
        assert!(taken.tls.is_some());

        let asked = provider.server.requests();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(asked[0].path, "/token");
        for (field, value) in [
            ("grant_type", "client_credentials"),
            ("client_id", "the relay"),
            ("client_secret", "hush-of-the-client"),
            ("scope", "mail.send more"),
        ] {
            assert_eq!(asked[0].fields[field], value, "{asked:?}");
        }
        // Neither the secret nor the token is shown.
        let shown = relay.command(&["connection", "show", "desk"]);
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned() + &relay.log();
        assert!(
            !shown.contains("hush-of-the-client") && !shown.contains("token-1"),
            "{shown}"
        );
        relay.leaves_nothing(service.sink);
    }
}
