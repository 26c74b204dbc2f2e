//! The client's side of SMTP: what a hostile server may say to a relay that logs in.

use gatepost_sasl::client::{Channel, Login, LoginCredential, Mechanism};
use gatepost_smtp::client::{Event, Protocol, Session, Settings, Tls};

use crate::Target;

/// Secret of the log-in, which stands in no seed.
const SECRET: &str = "4dK-secret-of-the-relay";

/// Sessions up to the first transaction, with each kind of credential, inside of TLS.
pub const TARGET: Target = Target {
    name: "next-hop",
    rule: "whatever a server says before mail, no message fails, no server is believed that has \
           not proved itself by SCRAM, and no secret stands in what is told of it",
    seeds: || {
        [
            "220 mx\r\n250-mx\r\n250 AUTH PLAIN LOGIN XOAUTH2\r\n235 2.7.0 ok\r\n",
            "220 mx\r\n250-mx\r\n250 AUTH=LOGIN\r\n334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok\r\n",
            "220 mx\r\n250-mx\r\n250 AUTH XOAUTH2\r\n334 eyJzdGF0dXMiOiI0MDEifQ==\r\n535 5.7.8 no\r\n",
            "220 mx\r\n250-mx\r\n250 AUTH SCRAM-SHA-256\r\n334 cj14LHM9QUFBQSxpPTQwOTY=\r\n334 dj1BQUFB\r\n235 ok\r\n",
            "220 mx\r\n500 what\r\n250 mx\r\n",
            "554 5.7.1 go away\r\n",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
    },
    words: &[
        b"\r\n",
        b"\n",
        b"334 ",
        b"334-",
        b"334",
        b"235 ",
        b"535 5.7.8 ",
        b"421 ",
        b"454 ",
        b"250-",
        b"250 AUTH ",
        b"AUTH=",
        b"SCRAM-SHA-256",
        b"SCRAM-SHA-256-PLUS",
        b"OAUTHBEARER",
        b"=",
        b"*",
        b"\0",
        b"\x1b[2J",
        b"9999999999",
    ],
    suite: 4_000,
    check,
};

fn check(input: &[u8]) {
    for (credential, is_password) in [
        (
            LoginCredential::password("user", SECRET.to_owned().into()),
            true,
        ),
        (
            LoginCredential::token("user", SECRET.to_owned().into()),
            false,
        ),
    ] {
        let Ok(credential) = credential else {
            panic!("no credential");
        };
        for mechanism in Mechanism::ALL {
            if mechanism.takes_token() != is_password {
                talk(input, credential.clone(), mechanism);
            }
        }
    }
}

/// Runs one session in which only this mechanism may be used.
fn talk(input: &[u8], credential: LoginCredential, mechanism: Mechanism) {
    let Ok(ehlo_name) = "relay.example".parse() else {
        panic!("no name");
    };
    let settings = Settings {
        protocol: Protocol::Smtp,
        ehlo_name,
        tls: Tls::Required,
        login: Some(Login {
            credential,
            mechanisms: vec![mechanism],
        }),
    };
    let channel = Channel::encrypted("mx.next.example", 465, Some([7; 32]));
    let mut session = Session::new(settings, Some(channel));
    session.feed(input);
    loop {
        match session.next_event() {
            Event::Send(_) => {}
            Event::SendSecret(line) => {
                assert!(line.octets().len() <= 12_288 && line.octets().ends_with(b"\r\n"));
                assert!(!format!("{line}{line:?}").contains(SECRET));
            }
            Event::Ready => {
                let scram = mechanism.name().starts_with("SCRAM");
                assert!(!scram, "a server without the password is believed");
                return;
            }
            Event::Failed(failure) => {
                assert!(failure.reply().is_transient(), "{failure} fails a message");
                assert!(session.opening().is_some(), "{failure} has no stage");
                assert!(!failure.to_string().contains(SECRET));
                return;
            }
            Event::NeedInput => return,
            other => panic!("{other:?} before a transaction"),
        }
    }
}
