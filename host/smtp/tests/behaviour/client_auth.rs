//! AUTH from the client's side, against a scripted server and against this crate's own.

use crate::common;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{Server, settings};
use gatepost_sasl::Binding;
use gatepost_sasl::client::{Channel, ExchangeError, Login, LoginCredential, Mechanism};
use gatepost_smtp::client::{
    Event, Failure, LoginError, OpeningStage, Protocol, Session, Settings, Tls,
};
use gatepost_smtp::server::{self, Secured};
use proptest::prelude::*;
use zeroize::Zeroizing;

const BINDING: Binding = [7; 32];

/// A client that logs in, the text it sent since the last call, and its other events.
struct Client {
    settings: Settings,
    channel: Option<Channel>,
    session: Session,
    sent: String,
    /// The same with secrets masked.
    shown: String,
    events: Vec<Event>,
}

fn password(secret: &str) -> LoginCredential {
    LoginCredential::password("user@b.example", Zeroizing::new(secret.to_owned())).unwrap()
}

fn token(octets: usize) -> LoginCredential {
    LoginCredential::token("user@b.example", Zeroizing::new("t".repeat(octets))).unwrap()
}

fn channel() -> Channel {
    Channel::encrypted("smtp.next.example", 587, None)
}

impl Client {
    fn new(tls: Tls, channel: Option<Channel>, credential: LoginCredential) -> Self {
        let settings = Settings {
            protocol: Protocol::Smtp,
            ehlo_name: "gatepost.example".parse().unwrap(),
            tls,
            login: Some(Login {
                credential,
                mechanisms: Mechanism::ALL.to_vec(),
            }),
        };
        Self {
            session: Session::new(settings.clone(), channel.clone()),
            settings,
            channel,
            sent: String::new(),
            shown: String::new(),
            events: Vec::new(),
        }
    }

    /// Creates a session with implicit TLS that has received this reply to EHLO; returns what it
    /// then sent, too.
    fn greeted(credential: LoginCredential, offer: &str) -> (Self, String) {
        let mut client = Self::new(Tls::Required, Some(channel()), credential);
        client.hear("220 mx.next.example\r\n");
        let sent = client.hear(&format!("250-mx.next.example\r\n250 {offer}\r\n"));
        (client, sent)
    }

    /// Begins anew, with these mechanisms alone.
    fn mechanisms(&mut self, mechanisms: &[Mechanism]) {
        if let Some(login) = &mut self.settings.login {
            login.mechanisms = mechanisms.to_vec();
        }
        self.session = Session::new(self.settings.clone(), self.channel.clone());
    }

    fn hear(&mut self, said: &str) -> String {
        self.session.feed(said.as_bytes());
        loop {
            match self.session.next_event() {
                Event::NeedInput => break,
                Event::Send(bytes) => self.sent.push_str(str::from_utf8(&bytes).unwrap()),
                Event::SendSecret(line) => {
                    self.shown.push_str(&format!("{line} {line:?}\n"));
                    self.sent.push_str(str::from_utf8(line.octets()).unwrap());
                }
                event => {
                    let over = matches!(event, Event::Failed(_) | Event::Closed | Event::StartTls);
                    self.events.push(event);
                    if over {
                        break;
                    }
                }
            }
        }
        std::mem::take(&mut self.sent)
    }

    fn is_ready(&self) -> bool {
        self.events == [Event::Ready] && self.session.opening().is_none()
    }

    /// Returns the failure, which came at AUTH.
    fn failure(&self) -> &Failure {
        let Some(Event::Failed(failure)) = self.events.last() else {
            panic!("no failure but {:?}", self.events);
        };
        assert!(failure.reply().is_transient(), "it fails no message");
        failure
    }
}

fn decoded(line: &str) -> String {
    let octets = STANDARD.decode(line.trim_end()).unwrap();
    String::from_utf8(octets).unwrap()
}

#[test]
fn a_refused_ehlo_is_the_reason_why_no_mechanism_is_offered() {
    let mut client = Client::new(Tls::Required, Some(channel()), password("secret"));
    client.hear("220 old.example\r\n");
    client.hear("550 5.7.1 we do not know you\r\n");
    let sent = client.hear("250 old.example\r\n");
    assert!(!sent.contains("AUTH"), "{sent}");
    let Some(Event::Failed(Failure::SessionRefused { stage, reply, .. })) = client.events.last()
    else {
        panic!("{:?}", client.events);
    };
    assert_eq!(*stage, OpeningStage::Ehlo);
    assert!(reply.to_string().contains("we do not know you"), "{reply}");
}

#[test]
fn auth_follows_the_ehlo_inside_of_tls_and_forgets_the_offer_before() {
    let mut client = Client::new(Tls::Opportunistic, None, password("secret"));
    client.hear("220 mx\r\n");
    let sent = client.hear("250-mx\r\n250-AUTH LOGIN\r\n250 STARTTLS\r\n");
    assert_eq!(sent, "STARTTLS\r\n", "nothing is sent in plaintext");
    client.hear("220 go\r\n");
    assert_eq!(client.events.pop(), Some(Event::StartTls));
    assert_eq!(client.session.opening(), Some(OpeningStage::Tls));
    client.session.tls_started(channel());
    assert_eq!(client.hear(""), "EHLO gatepost.example\r\n");
    let sent = client.hear("250-mx\r\n250 AUTH PLAIN\r\n");
    let initial = sent.strip_prefix("AUTH PLAIN ").unwrap();
    assert_eq!(decoded(initial), "\0user@b.example\0secret");
    assert_eq!(client.session.opening(), Some(OpeningStage::Auth));
    assert!(!client.session.capabilities().start_tls);
    assert_eq!(client.hear("235 2.7.0 welcome\r\n"), "");
    assert!(client.is_ready());
}

#[test]
fn nothing_is_sent_without_tls() {
    let offer = "250-mx\r\n250 AUTH PLAIN LOGIN\r\n";
    for tls in [Tls::None, Tls::Opportunistic] {
        let mut client = Client::new(tls, None, password("secret"));
        client.hear("220 mx\r\n");
        assert_eq!(client.hear(offer), "");
        assert_eq!(client.failure(), &Failure::Login(LoginError::NotEncrypted));
        assert!(client.failure().is_permanent());
        assert_eq!(client.session.opening(), Some(OpeningStage::Auth));
    }
    // Nor where the server refuses TLS.
    let mut client = Client::new(Tls::Opportunistic, None, password("secret"));
    client.hear("220 mx\r\n");
    client.hear("250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n");
    assert_eq!(client.hear("454 4.7.0 not now\r\n"), "");
    assert_eq!(client.failure(), &Failure::Login(LoginError::NotEncrypted));
}

#[test]
fn login_answers_the_questions_of_exchange_online() {
    let (mut client, sent) = Client::greeted(password("secret"), "AUTH LOGIN XOAUTH2");
    assert_eq!(sent, "AUTH LOGIN\r\n");
    assert_eq!(
        decoded(&client.hear("334 VXNlcm5hbWU6\r\n")),
        "user@b.example"
    );
    assert_eq!(decoded(&client.hear("334 UGFzc3dvcmQ6\r\n")), "secret");
    client.hear("235 2.7.0 Authentication successful\r\n");
    assert!(client.is_ready());
}

#[test]
fn the_offer_of_old_servers_is_read() {
    for offer in ["AUTH=LOGIN", "AUTH=LOGIN PLAIN", "auth gssapi login"] {
        let (client, _) = Client::greeted(password("secret"), offer);
        let known = &client.session.capabilities().auth;
        assert!(known.contains(&Mechanism::Login), "{offer}: {known:?}");
    }
}

#[test]
fn an_initial_response_goes_with_the_command_only_if_the_line_has_at_most_512_octets() {
    let (mut inline, mut held) = (0, 0);
    for octets in 310..360 {
        let (mut client, sent) = Client::greeted(token(octets), "AUTH XOAUTH2");
        let whole = match sent.strip_prefix("AUTH XOAUTH2 ") {
            Some(initial) => {
                assert!(sent.len() <= 512);
                inline += 1;
                initial.to_owned()
            }
            None => {
                assert_eq!(sent, "AUTH XOAUTH2\r\n");
                held += 1;
                let response = client.hear("334 \r\n");
                assert!("AUTH XOAUTH2 ".len() + response.len() > 512);
                response
            }
        };
        let token = "t".repeat(octets);
        let message = format!("user=user@b.example\x01auth=Bearer {token}\x01\x01");
        assert_eq!(decoded(&whole), message);
        client.hear("235 2.7.0 ok\r\n");
        assert!(client.is_ready());
    }
    assert!(inline > 0 && held > 0);
}

#[test]
fn the_longest_token_fits_into_a_line_of_auth() {
    let (mut client, _) = Client::greeted(token(8192), "AUTH OAUTHBEARER");
    let line = client.hear("334 \r\n");
    assert!(line.len() <= 12_288, "{}", line.len());
    client.hear("235 2.7.0 ok\r\n");
    assert!(client.is_ready());
    // A success before anything was sent is none.
    let (mut client, _) = Client::greeted(token(8192), "AUTH OAUTHBEARER");
    client.hear("235 2.7.0 ok\r\n");
    let early = Failure::Login(ExchangeError::Early.into());
    assert_eq!(client.failure(), &early);
}

#[test]
fn an_error_of_a_bearer_mechanism_is_acknowledged_and_kept_with_the_reply() {
    let error = r#"{"status":"401","schemes":"bearer"}"#;
    for (offer, acknowledgement) in [("XOAUTH2", "\r\n"), ("OAUTHBEARER", "AQ==\r\n")] {
        let (mut client, _) = Client::greeted(token(10), &format!("AUTH {offer}"));
        let said = format!("334 {}\r\n", STANDARD.encode(error));
        assert_eq!(client.hear(&said), acknowledgement);
        client.hear("535 5.7.3 Authentication unsuccessful\r\n");
        let Failure::SessionRefused {
            stage,
            reply,
            reason,
        } = client.failure()
        else {
            panic!("{:?}", client.failure());
        };
        assert_eq!((*stage, reply.code()), (OpeningStage::Auth, 535));
        assert_eq!(reason.as_deref(), Some(error));
        assert!(client.failure().is_permanent());
    }
}

#[test]
fn a_refused_login_fails_the_session_at_auth() {
    for (said, permanent) in [
        ("535 5.7.8 bad credentials\r\n", true),
        ("534 5.7.9 too weak\r\n", true),
        ("454 4.7.0 later\r\n", false),
        ("421 4.7.0 too many failures\r\n", false),
    ] {
        let (mut client, _) = Client::greeted(password("secret"), "AUTH PLAIN");
        client.hear(said);
        assert!(matches!(
            client.failure(),
            Failure::SessionRefused {
                stage: OpeningStage::Auth,
                reason: None,
                ..
            }
        ));
        assert_eq!(client.failure().is_permanent(), permanent);
    }
}

#[test]
fn a_login_without_a_common_mechanism_fails_the_session() {
    for offer in ["SIZE 1000", "AUTH", "AUTH GSSAPI NTLM", "AUTH XOAUTH2"] {
        let (client, sent) = Client::greeted(password("secret"), offer);
        assert_eq!(sent, "");
        let failure = client.failure();
        assert!(
            matches!(
                failure,
                Failure::Login(LoginError::Exchange(ExchangeError::NoMechanism { .. }))
            ),
            "{failure:?}"
        );
    }
}

#[test]
fn the_error_names_what_the_server_offers_instead() {
    let many: String = (0..50).map(|at| format!(" OTHER-{at}")).collect();
    let many = format!("AUTH PLAIN{many}");
    for (offer, named) in [
        ("AUTH GSSAPI ntlm", "(offered: GSSAPI, NTLM)"),
        ("AUTH PLAIN NTLM <script> NTLM", "(offered: PLAIN, NTLM)"),
        ("AUTH", "(offered: none)"),
        (&many, "OTHER-8, OTHER-9)"),
    ] {
        let (client, _) = Client::greeted(token(10), offer);
        let failure = client.failure().to_string();
        assert!(failure.ends_with(named), "{offer}: {failure}");
    }
}

#[test]
fn a_malformed_challenge_is_cancelled() {
    let long = format!("334 {}\r\n", "QUFB".repeat(3100));
    for (challenge, error) in [
        ("334 not base64\r\n", ExchangeError::Base64),
        ("334 cj14LHM9QUFBQSxpPTQwOTY=\r\n", ExchangeError::Nonce),
        (&long, ExchangeError::TooLong),
    ] {
        for last in ["501 5.7.0 cancelled\r\n", "421 bye\r\n", "235 ok\r\n"] {
            let (mut client, _) = Client::greeted(password("secret"), "AUTH SCRAM-SHA-256");
            assert_eq!(client.hear(challenge), "*\r\n");
            client.hear(last);
            assert_eq!(client.failure(), &Failure::Login(error.clone().into()));
        }
    }
}

#[test]
fn a_scram_success_without_the_servers_proof_is_none() {
    let (mut client, sent) = Client::greeted(password("secret"), "AUTH SCRAM-SHA-256");
    let first = decoded(sent.strip_prefix("AUTH SCRAM-SHA-256 ").unwrap());
    let nonce = first.split(",r=").nth(1).unwrap();
    // A challenge longer than a line of an ordinary reply.
    let challenge = format!("r={nonce}{},s=AAAA,i=4096", "x".repeat(900));
    let challenge = format!("334 {}\r\n", STANDARD.encode(challenge));
    assert!(challenge.len() > 1000);
    let proof = decoded(&client.hear(&challenge));
    assert!(proof.contains(",p="), "{proof}");
    client.hear("235 2.7.0 trust me\r\n");
    let unproved = Failure::Login(ExchangeError::Unproved.into());
    assert_eq!(client.failure(), &unproved);
}

#[test]
fn no_secret_is_shown() {
    let (mut client, sent) = Client::greeted(password("hunter2"), "AUTH PLAIN");
    let secret = sent.strip_prefix("AUTH PLAIN ").unwrap().trim_end();
    client.hear("535 5.7.8 no\r\n");
    let shown = format!("{}{:?}", client.shown, client.session);
    assert!(shown.contains("AUTH PLAIN ***"), "{shown}");
    assert!(
        !shown.contains("hunter2") && !shown.contains(secret),
        "{shown}"
    );
    // The secret is gone with the exchange, and before AUTH it is not shown.
    let fresh = Client::new(Tls::Required, None, password("hunter2"));
    assert!(!format!("{:?}", fresh.session).contains("hunter2"));
}

/// Runs this client against this crate's own server, inside of one TLS connection; returns the user
/// whom the server then knows, and what the client makes of it.
fn with_server(mechanism: Mechanism, secret: &str) -> (Option<String>, Vec<Event>) {
    let mut server = Server::new(settings(), true);
    let secured = Secured {
        by: "TLSv1.3".to_owned(),
        binding: Some(BINDING),
    };
    server.session = server::Session::new(Arc::new(settings()), Some(secured));
    let channel = Channel::encrypted("mx.desk.example", 587, Some(BINDING));
    let credential = LoginCredential::password("user", Zeroizing::new(secret.to_owned())).unwrap();
    let mut client = Client::new(Tls::Required, Some(channel), credential);
    client.mechanisms(&[mechanism]);
    let mut said = server.hear();
    while !said.is_empty() {
        let sent = client.hear(&said);
        said = server.say(sent.as_bytes());
    }
    (server.session.user().map(str::to_owned), client.events)
}

#[test]
fn each_mechanism_logs_in_at_our_own_server_and_a_wrong_password_does_not() {
    for mechanism in [
        Mechanism::Plain,
        Mechanism::Login,
        Mechanism::ScramSha256,
        Mechanism::ScramSha256Plus,
    ] {
        let (user, events) = with_server(mechanism, "secret");
        let known = (user.as_deref(), &events[..]);
        assert_eq!(known, (Some("user"), &[Event::Ready][..]), "{mechanism}");
        let (user, events) = with_server(mechanism, "wrong");
        assert_eq!(user, None);
        let [Event::Failed(failure)] = &events[..] else {
            panic!("{events:?}");
        };
        // Nobody can tell from SCRAM's failure which side is wrong.
        assert!(
            failure.is_permanent() && failure.to_string().contains("535"),
            "{failure}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a server says in AUTH, the session ends open or failed, and a failure fails no
    /// message.
    #[test]
    fn any_replies_to_auth_end_it(
        mechanism in prop::sample::select(Mechanism::ALL.to_vec()),
        said in prop::collection::vec(prop_oneof![
            "334 [A-Za-z0-9+/=]{0,12}\r\n", "334-x\r\n334 y\r\n", "334\r\n", "235 2.7.0 ok\r\n",
            "5[0-9]{2} no\r\n", "4[0-9]{2} no\r\n", "[0-9]{3} .\r\n", "\\PC{0,10}\r\n",
        ], 0..8),
    ) {
        let credential = match mechanism.takes_token() {
            true => token(20),
            false => password("secret"),
        };
        let channel = Channel::encrypted("smtp.next.example", 587, Some(BINDING));
        let mut client = Client::new(Tls::Required, Some(channel), credential);
        client.hear("220 mx\r\n");
        client.hear(&format!("250-mx\r\n250 AUTH {mechanism}\r\n"));
        for line in said {
            client.hear(&line);
        }
        match client.events.last() {
            Some(Event::Failed(failure)) => prop_assert!(failure.reply().is_transient()),
            Some(Event::Ready) => {
                let scram = mechanism.name().starts_with("SCRAM");
                prop_assert!(!scram, "believed without a proof");
            }
            None => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
