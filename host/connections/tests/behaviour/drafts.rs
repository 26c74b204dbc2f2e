//! A draft becomes a connection with the defaults of its profile, or sentences say what is wrong.

use gatepost_connections::{
    Connection, ConnectionDraft, GrantKind, Profiles, SaslMechanism, Secret, ServerCredential,
    ServerTrust, Serves,
};
use gatepost_message::Address;
use gatepost_model::TlsMode;

const HUSH: &str = "hush-hush-secret";

fn complete(draft: ConnectionDraft, profile: &str) -> Result<Connection, Vec<String>> {
    let profiles = Profiles::built_in();
    let made = draft.complete("out".parse().unwrap(), profiles.get(profile).unwrap());
    made.map_err(|problems| {
        let lines = problems.iter();
        lines
            .map(|problem| format!("{}: {problem}", problem.key))
            .collect()
    })
}

fn with_password() -> ConnectionDraft {
    ConnectionDraft {
        user: Some("ann@b.example".to_owned()),
        password: Some(Secret::new(HUSH)),
        ..ConnectionDraft::default()
    }
}

fn generic() -> ConnectionDraft {
    ConnectionDraft {
        host: Some("smtp.b.example".to_owned()),
        ..with_password()
    }
}

#[test]
fn a_profile_gives_what_the_draft_leaves_out() {
    let connection = complete(with_password(), "microsoft-365").unwrap();
    assert_eq!(connection.server(), "smtp.office365.com:587");
    assert_eq!(connection.tls, TlsMode::Required);
    // A password takes no token.
    assert_eq!(connection.mechanisms, [SaslMechanism::Login]);
    let limits = connection.limits;
    assert_eq!(
        (limits.connections, limits.messages_a_minute),
        (Some(3), Some(30))
    );
    assert_eq!(
        (limits.recipients_a_day, limits.per_mailbox),
        (Some(10_000), true)
    );
    let implicit = ConnectionDraft {
        tls: Some(TlsMode::Implicit),
        ..with_password()
    };
    assert_eq!(complete(implicit, "gmail").unwrap().port, 465);
}

#[test]
fn nothing_shows_a_secret() {
    let connection = complete(with_password(), "gmail").unwrap();
    for shown in [
        format!("{connection:?}"),
        format!("{:?}", with_password()),
        serde_json::to_string(&connection).unwrap(),
        serde_json::to_string(&with_password()).unwrap(),
    ] {
        assert!(!shown.contains(HUSH), "{shown}");
    }
    assert_eq!(connection.secret_names(), ["password"]);
    let plaintext = connection.to_plaintext();
    assert_eq!(Connection::from_plaintext(&plaintext), Some(connection));
    assert_eq!(Connection::from_plaintext(&plaintext[1..]), None);
}

#[test]
fn a_fingerprint_knows_every_change_and_no_secret() {
    let one = complete(with_password(), "gmail").unwrap();
    let mut other = with_password();
    other.password = Some(Secret::new("another"));
    assert_eq!(
        one.fingerprint(),
        complete(other, "gmail").unwrap().fingerprint()
    );
    let mut other = with_password();
    other.port = Some(2525);
    assert_ne!(
        one.fingerprint(),
        complete(other, "gmail").unwrap().fingerprint()
    );
}

#[test]
fn a_wrong_draft_says_at_which_key_and_why() {
    let url = || Some("http://login.example/token".to_owned());
    for (draft, key, words) in [
        (with_password(), "host", "the host is missing"),
        (
            ConnectionDraft {
                host: Some("a b".to_owned()),
                ..with_password()
            },
            "host",
            "neither a domain",
        ),
        (
            ConnectionDraft {
                port: Some(0),
                ..generic()
            },
            "port",
            "the port is 0",
        ),
        (
            ConnectionDraft {
                tls: Some(TlsMode::Opportunistic),
                ..generic()
            },
            "tls",
            "may not be encrypted",
        ),
        (
            ConnectionDraft {
                tls: Some(TlsMode::None),
                ..generic()
            },
            "tls",
            "may not be encrypted",
        ),
        (
            ConnectionDraft {
                password: None,
                ..generic()
            },
            "password",
            "has no password",
        ),
        (
            ConnectionDraft {
                user: None,
                ..generic()
            },
            "user",
            "no user",
        ),
        (
            ConnectionDraft {
                password: Some(Secret::new("a\nb")),
                ..generic()
            },
            "password",
            "line break",
        ),
        (
            ConnectionDraft {
                mechanisms: Some(vec![SaslMechanism::Xoauth2]),
                ..generic()
            },
            "mechanisms",
            "takes a password",
        ),
        (
            ConnectionDraft {
                ca: Some(Secret::new("nonsense")),
                ..generic()
            },
            "ca",
            "no certificates",
        ),
        (
            ConnectionDraft {
                client_key: Some(Secret::new("x")),
                ..generic()
            },
            "client-certificate",
            "no certificate",
        ),
        (
            ConnectionDraft {
                token_url: url(),
                ..generic()
            },
            "token-url",
            "no grant",
        ),
        (
            ConnectionDraft {
                grant: Some(GrantKind::ClientCredentials),
                password: None,
                token_url: url(),
                client_id: Some("c".to_owned()),
                ..generic()
            },
            "token-url",
            "https",
        ),
        (
            ConnectionDraft {
                device_url: Some("https://login.example/device".to_owned()),
                ..generic()
            },
            "device-url",
            "no grant",
        ),
        (
            ConnectionDraft {
                grant: Some(GrantKind::ClientCredentials),
                device_url: Some("https://login.example/device".to_owned()),
                password: None,
                ..generic()
            },
            "device-url",
            "nobody has to authorize",
        ),
        (
            ConnectionDraft {
                grant: Some(GrantKind::RefreshToken),
                device_url: Some("http://login.example/device".to_owned()),
                password: None,
                ..generic()
            },
            "device-url",
            "https",
        ),
        (
            ConnectionDraft {
                grant: Some(GrantKind::ClientCredentials),
                password: None,
                ..generic()
            },
            "client-secret",
            "is missing",
        ),
        (
            ConnectionDraft {
                ehlo: Some("a b".to_owned()),
                ..generic()
            },
            "ehlo",
            "no domain name",
        ),
        (
            ConnectionDraft {
                retry: Some(Vec::new()),
                ..generic()
            },
            "retry",
            "no waits",
        ),
        (
            ConnectionDraft {
                secret_expires: Some("soon".to_owned()),
                ..generic()
            },
            "secret-expires",
            "no date",
        ),
        (
            ConnectionDraft {
                pinned_keys: Some(Vec::new()),
                ..generic()
            },
            "pinned-keys",
            "no pinned keys",
        ),
    ] {
        let problems = complete(draft, "generic").unwrap_err();
        let found = problems
            .iter()
            .any(|line| line.starts_with(key) && line.contains(words));
        assert!(found, "{key}: {words}: {problems:?}");
        assert!(!problems.join("").contains(HUSH));
    }
}

#[test]
fn a_consent_is_good_for_another_secret_of_the_client_and_not_for_another_client() {
    let url = |path: &str| Some(format!("https://login.example/{path}"));
    let by_refresh = || ConnectionDraft {
        host: Some("smtp.b.example".to_owned()),
        grant: Some(GrantKind::RefreshToken),
        token_url: url("token"),
        device_url: url("device"),
        client_id: Some("client".to_owned()),
        client_secret: Some(Secret::new(HUSH)),
        ..ConnectionDraft::default()
    };
    let made = complete(by_refresh(), "generic").unwrap();
    assert!(made.logs_in_by_refresh_token());
    // One of a version that knew no device-url is read.
    let stored = serde_json::to_string(&made).unwrap();
    let former = stored.replace(r#","device-url":"https://login.example/device""#, "");
    assert_ne!(stored, former);
    assert!(serde_json::from_str::<Connection>(&former).is_ok());

    let set = |change: ConnectionDraft| {
        complete(change.over(ConnectionDraft::of(&made)), "generic").unwrap()
    };
    let secret = set(ConnectionDraft {
        client_secret: Some(Secret::new("another")),
        ..ConnectionDraft::default()
    });
    assert!(made.shares_authorization(&secret) && made != secret);
    assert_eq!(ConnectionDraft::of(&secret).device_url, url("device"));
    let client = set(ConnectionDraft {
        client_id: Some("other".to_owned()),
        ..ConnectionDraft::default()
    });
    assert!(!made.shares_authorization(&client));
    let password = set(ConnectionDraft {
        user: Some("ann".to_owned()),
        password: Some(Secret::new(HUSH)),
        ..ConnectionDraft::default()
    });
    assert!(!password.shares_authorization(&password));
}

#[test]
fn what_is_set_again_keeps_the_rest() {
    let before = complete(generic(), "generic").unwrap();
    let change = ConnectionDraft {
        port: Some(2525),
        ..ConnectionDraft::default()
    };
    let after = complete(change.over(ConnectionDraft::of(&before)), "generic").unwrap();
    assert_eq!(
        after,
        Connection {
            port: 2525,
            ..before.clone()
        }
    );

    let tokens = ConnectionDraft {
        grant: Some(GrantKind::ClientCredentials),
        token_url: Some("https://login.example/token".to_owned()),
        client_id: Some("client".to_owned()),
        client_secret: Some(Secret::new("other")),
        ..ConnectionDraft::default()
    };
    let after = complete(tokens.over(ConnectionDraft::of(&before)), "generic").unwrap();
    assert!(
        matches!(after.credential, ServerCredential::Oauth(_)),
        "{after:?}"
    );
    assert_eq!(after.secret_names(), ["client-secret"]);
    assert_eq!(after.trust, ServerTrust::Public);
}

#[test]
fn the_most_specific_sender_wins() {
    let sender: Address = "Help@B.example".parse().unwrap();
    let rank = |text: &str, brand| text.parse::<Serves>().unwrap().rank(&sender, brand);
    assert_eq!(rank("help@b.example", None), Some(3));
    assert_eq!(rank("brand Acme", Some("Acme")), Some(2));
    assert_eq!(rank("brand Acme", None), None);
    assert_eq!(rank("@b.example", None), Some(1));
    assert_eq!(rank("@other.example", Some("Acme")), None);
    for wrong in ["", "@", "brand ", "help"] {
        assert!(wrong.parse::<Serves>().is_err(), "{wrong}");
    }
}
