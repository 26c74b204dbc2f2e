//! A token with which the AUTH command would be longer than 512 octets (RFC 4954 section 4) goes
//! after the 334; a short one goes with the command.

use super::{Provider, service};
use crate::{Service, submit};

#[test]
fn a_long_token_goes_after_the_334() {
    let (short, long) = ("short".to_owned(), "long".repeat(700));
    for mechanism in ["XOAUTH2", "OAUTHBEARER"] {
        for (token, command) in [
            (&short, format!("\"client\":\"AUTH {mechanism} ***\"")),
            (&long, format!("\"client\":\"AUTH {mechanism}\"")),
        ] {
            let provider = Provider::start();
            provider.server.answer_token(token, 3600, None);
            let users = format!("{{ name = 'ann@sender.example', token = '{token}' }}");
            // A longer AUTH command gets 500 5.5.2.
            let service = Service::start(&(service(&users) + "line = 512\n"));
            let mechanisms = format!("mechanisms = ['{}']\n", mechanism.to_lowercase());
            let keys = provider.by_client_credentials() + &mechanisms;
            let relay = provider.trusted_by(service.relay(&keys)).start();
            submit(&relay, &["x@elsewhere.example"]);
            let taken = service.sink.take();
            assert_eq!(taken.mechanism.as_deref(), Some(mechanism));
            assert_eq!(taken.connection, 1, "the first session survives");
            let dialogue = service.sink.dialogue();
            assert!(dialogue.contains(&command), "{dialogue}");
            assert!(!dialogue.contains("\"500"), "{dialogue}");
            relay.leaves_nothing(service.sink);
        }
    }
}
