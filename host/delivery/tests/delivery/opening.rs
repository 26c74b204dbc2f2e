//! Opening of a session, by all that a connection may set.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use gatepost_certificates::{ClientIdentity, Pin, Trust, private_roots};
use gatepost_delivery::open::{
    CredentialSource, Fetching, LoginSource, NoCredential, Opening, OpeningFailure, Speaker,
    Transcript, try_opening,
};
use gatepost_delivery::{Timeouts, Tls};
use gatepost_model::{Protocol, TlsMode};
use gatepost_sasl::client::{LoginCredential, Mechanism};
use gatepost_smtp::client::OpeningStage;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use crate::support::{Act, Certificate, Moment, NextHopServer, Offer, say};

/// Returns TLS that trusts this certificate and no other.
fn trusting(certificate: &Certificate) -> Tls {
    let roots = private_roots(certificate.pem.as_bytes()).unwrap();
    Tls::new(Trust::Roots(roots), None).unwrap()
}

fn opening(server: &NextHopServer, mode: TlsMode, tls: Tls) -> Opening {
    Opening {
        host: "localhost".to_owned(),
        port: server.address.port(),
        addresses: vec![server.address],
        protocol: Protocol::Smtp,
        mode,
        tls,
        ehlo_name: "customer.example".parse().unwrap(),
        egress: Vec::new(),
        login: None,
        timeouts: Timeouts::default(),
        transcript: None,
    }
}

fn password(secret: &str) -> Option<LoginSource> {
    let secret = Zeroizing::new(secret.to_owned());
    Some(LoginSource {
        mechanisms: Mechanism::ALL.to_vec(),
        source: Arc::new(LoginCredential::password("user", secret).unwrap()),
    })
}

/// Starts a server that offers PLAIN and XOAUTH2 under TLS, and answers AUTH and its responses with
/// these replies in turn.
async fn with_auth(certificate: &Certificate, replies: &[&str]) -> NextHopServer {
    let replies = Mutex::new(replies.iter().map(|r| r.to_string()).collect::<Vec<_>>());
    let mut offer = Offer::with_tls(certificate);
    offer.extensions.push("AUTH PLAIN XOAUTH2");
    let usual = ["EHLO", "STARTTLS", "QUIT", "MAIL", "RCPT", "DATA"];
    NextHopServer::start(offer, move |_, moment| match moment {
        Moment::Command(line) if !usual.iter().any(|verb| line.starts_with(verb)) => {
            say(&replies.lock().unwrap().remove(0))
        }
        _ => None,
    })
    .await
}

fn commands(server: &NextHopServer) -> Vec<String> {
    server
        .commands()
        .into_iter()
        .map(|(_, line)| line)
        .collect()
}

async fn failure(opening: &Opening) -> OpeningFailure {
    let not_opened = try_opening(opening).await.unwrap_err();
    assert!(not_opened.deferral.is_transient(), "{not_opened:?}");
    assert_eq!(
        not_opened.server,
        format!("{}:{}", opening.host, opening.port)
    );
    not_opened
}

#[tokio::test]
async fn implicit_tls_begins_with_the_first_octet() {
    let certificate = Certificate::new();
    let offer = Offer {
        implicit: Some(certificate.clone()),
        ..Offer::usual()
    };
    let server = NextHopServer::start(offer, |_, _| None).await;
    let opening = opening(&server, TlsMode::Implicit, trusting(&certificate));
    let opened = try_opening(&opening).await.unwrap();
    assert!(opened.tls.unwrap().starts_with("TLSv1.3 "));
    assert_eq!(opened.address, server.address);
    assert_eq!(commands(&server), ["EHLO customer.example", "QUIT"]);
    // A stranger's certificate.
    let other = Opening {
        tls: trusting(&Certificate::new()),
        ..opening
    };
    let not_opened = failure(&other).await;
    assert_eq!(
        (not_opened.stage, not_opened.permanent),
        (OpeningStage::Tls, true)
    );
    assert_eq!(server.commands().len(), 2);
}

#[tokio::test]
async fn a_certificate_must_be_for_the_host_whatever_address_it_has() {
    let certificate = Certificate::new();
    let server = NextHopServer::start(Offer::with_tls(&certificate), |_, _| None).await;
    // Nothing is looked up: this name does not exist.
    let mut opening = opening(&server, TlsMode::Required, trusting(&certificate));
    opening.host = "mx.nowhere.invalid".to_owned();
    let not_opened = failure(&opening).await;
    assert_eq!(
        (not_opened.stage, not_opened.permanent),
        (OpeningStage::Tls, true)
    );
    opening.mode = TlsMode::Opportunistic;
    assert!(try_opening(&opening).await.unwrap().tls.is_some());
}

#[tokio::test]
async fn a_pinned_key_is_accepted_whatever_its_certificate_says_and_no_other_key() {
    let certificate = Certificate::new();
    let server = NextHopServer::start(Offer::with_tls(&certificate), |_, _| None).await;
    let pin = |certificate: &Certificate| {
        let der = CertificateDer::from_pem_slice(certificate.pem.as_bytes()).unwrap();
        let pin = Pin::of(&der).unwrap();
        assert_eq!(pin.to_string().parse(), Ok(pin));
        Tls::new(Trust::Keys(vec![pin]), None).unwrap()
    };
    let mut opening = opening(&server, TlsMode::Required, pin(&certificate));
    opening.host = "another.name.example".to_owned();
    assert!(try_opening(&opening).await.unwrap().tls.is_some());
    opening.tls = pin(&Certificate::new());
    let not_opened = failure(&opening).await;
    assert_eq!(
        (not_opened.stage, not_opened.permanent),
        (OpeningStage::Tls, true)
    );
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_asks_for_it() {
    let certificate = Certificate::demanding_another();
    let server = NextHopServer::start(Offer::with_tls(&certificate), |_, _| None).await;
    let identity = ClientIdentity {
        certificates: certificate.pem.as_bytes(),
        key: certificate.key.as_bytes(),
    };
    let roots = || Trust::Roots(private_roots(certificate.pem.as_bytes()).unwrap());
    let with = Tls::new(roots(), Some(identity)).unwrap();
    let mut opening = opening(&server, TlsMode::Required, with);
    assert!(try_opening(&opening).await.unwrap().tls.is_some());
    opening.tls = Tls::new(roots(), None).unwrap();
    assert_eq!(failure(&opening).await.stage, OpeningStage::Tls);

    let broken = ClientIdentity {
        key: b"no key",
        ..identity
    };
    assert!(Tls::new(roots(), Some(broken)).is_err());
}

#[tokio::test]
async fn the_session_comes_from_an_egress_address_of_the_servers_family() {
    let server = NextHopServer::accepting_everything().await;
    let tls = trusting(&Certificate::new());
    let mut opening = opening(&server, TlsMode::None, tls);
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    opening.egress = vec![address("::1"), address("127.0.0.7")];
    try_opening(&opening).await.unwrap();
    assert_eq!(server.peers(), [address("127.0.0.7")]);
    opening.egress = vec![address("::1")];
    let not_opened = failure(&opening).await;
    assert_eq!(not_opened.stage, OpeningStage::Connect);
    assert!(
        not_opened
            .to_string()
            .contains("no egress address is of IPv4"),
        "{not_opened}"
    );
    // An address that the machine does not have.
    opening.egress = vec![address("192.0.2.1")];
    assert!(
        failure(&opening)
            .await
            .to_string()
            .contains("from 192.0.2.1")
    );
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_relay_logs_in_under_tls_and_its_secret_is_masked() {
    let certificate = Certificate::new();
    let server = with_auth(&certificate, &["235 2.7.0 welcome"]).await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&heard);
    let opening = Opening {
        login: password("secret"),
        transcript: Some(Transcript::new(move |speaker, line| {
            let mark = if speaker == Speaker::Relay { '>' } else { '<' };
            listener.lock().unwrap().push(format!("{mark} {line}"));
        })),
        ..opening(&server, TlsMode::Required, trusting(&certificate))
    };
    try_opening(&opening).await.unwrap();
    let said = commands(&server);
    assert_eq!(said[3], "AUTH PLAIN AHVzZXIAc2VjcmV0");
    let heard = heard.lock().unwrap().join("\n");
    assert!(
        heard.contains("> AUTH PLAIN ***\n< 235 2.7.0 welcome"),
        "{heard}"
    );
    assert!(
        heard.starts_with("< 220 next.example ESMTP\n> EHLO customer.example\n"),
        "{heard}"
    );
    assert!(!heard.contains("AHVzZXIAc2VjcmV0") && !format!("{:?}", opening.login).contains("sec"));
}

#[tokio::test]
async fn a_login_is_never_sent_in_plaintext() {
    let mut offer = Offer::usual();
    offer.extensions.push("AUTH PLAIN");
    let server = NextHopServer::start(offer, |_, _| None).await;
    for mode in [TlsMode::None, TlsMode::Opportunistic] {
        let opening = Opening {
            login: password("secret"),
            ..opening(&server, mode, trusting(&Certificate::new()))
        };
        let not_opened = failure(&opening).await;
        assert_eq!(
            (not_opened.stage, not_opened.permanent),
            (OpeningStage::Auth, true)
        );
        assert!(
            not_opened.to_string().contains("never sent in plaintext"),
            "{not_opened}"
        );
    }
    assert!(
        !commands(&server)
            .iter()
            .any(|line| line.starts_with("AUTH"))
    );
}

#[tokio::test]
async fn a_login_is_not_sent_to_a_server_that_does_not_verify() {
    let certificate = Certificate::new();
    let server = with_auth(&certificate, &[]).await;
    let opening = Opening {
        login: password("secret"),
        ..opening(
            &server,
            TlsMode::Opportunistic,
            trusting(&Certificate::new()),
        )
    };
    assert_eq!(failure(&opening).await.stage, OpeningStage::Tls);
    assert_eq!(
        server.connections(),
        1,
        "and there is no going on in plaintext"
    );
    assert!(
        !commands(&server)
            .iter()
            .any(|line| line.starts_with("AUTH"))
    );
}

#[tokio::test]
async fn a_refused_password_is_tried_once_on_one_address() {
    let certificate = Certificate::new();
    let server = with_auth(&certificate, &["535 5.7.8 bad credentials"]).await;
    let opening = Opening {
        login: password("wrong"),
        addresses: vec![server.address; 3],
        ..opening(&server, TlsMode::Required, trusting(&certificate))
    };
    let not_opened = failure(&opening).await;
    assert_eq!(
        (not_opened.stage, not_opened.permanent),
        (OpeningStage::Auth, true)
    );
    assert_eq!(
        not_opened.reply.unwrap().to_string(),
        "535 5.7.8 bad credentials"
    );
    assert_eq!(server.connections(), 1);
}

/// Source of numbered tokens, which counts the requests.
#[derive(Default)]
struct NumberedTokens(AtomicUsize);

impl CredentialSource for NumberedTokens {
    fn credential<'a>(&'a self, refused: Option<&'a LoginCredential>) -> Fetching<'a> {
        let count = self.0.fetch_add(1, Ordering::SeqCst);
        assert_eq!(refused.is_some(), count % 2 == 1);
        let token = Zeroizing::new(format!("token{count}"));
        let credential = LoginCredential::token("user", token).unwrap();
        Box::pin(std::future::ready(Ok(Some(credential))))
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let certificate = Certificate::new();
    let error = "334 eyJzdGF0dXMiOiI0MDEifQ==";
    let refused = [error, "535 5.7.3 unsuccessful"];
    let replies = [&refused[..], &["235 2.7.0 ok"], &refused, &refused].concat();
    let server = with_auth(&certificate, &replies).await;
    let source = Arc::new(NumberedTokens::default());
    let opening = Opening {
        login: Some(LoginSource {
            mechanisms: vec![Mechanism::Xoauth2],
            source: Arc::clone(&source) as Arc<dyn CredentialSource>,
        }),
        ..opening(&server, TlsMode::Required, trusting(&certificate))
    };
    try_opening(&opening).await.unwrap();
    assert_eq!(
        (server.connections(), source.0.load(Ordering::SeqCst)),
        (2, 2)
    );

    let not_opened = failure(&opening).await;
    assert_eq!(
        (server.connections(), source.0.load(Ordering::SeqCst)),
        (4, 4)
    );
    assert_eq!(not_opened.reason.as_deref(), Some(r#"{"status":"401"}"#));
    assert!(not_opened.permanent);
}

/// Source that has no token.
struct NoTokens;

impl CredentialSource for NoTokens {
    fn credential<'a>(&'a self, _: Option<&'a LoginCredential>) -> Fetching<'a> {
        let why = NoCredential {
            why: "the refresh token has expired".to_owned(),
            permanent: true,
        };
        Box::pin(std::future::ready(Err(why)))
    }
}

#[tokio::test]
async fn without_a_credential_nobody_is_connected_to() {
    let certificate = Certificate::new();
    let server = with_auth(&certificate, &[]).await;
    let opening = Opening {
        login: Some(LoginSource {
            mechanisms: vec![Mechanism::Xoauth2],
            source: Arc::new(NoTokens),
        }),
        ..opening(&server, TlsMode::Required, trusting(&certificate))
    };
    let not_opened = failure(&opening).await;
    assert_eq!(
        (not_opened.stage, not_opened.permanent),
        (OpeningStage::Auth, true)
    );
    assert!(
        not_opened.to_string().contains("refresh token has expired"),
        "{not_opened}"
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_refused_session_names_its_stage_and_the_servers_words() {
    use OpeningStage::{Auth, Ehlo, Greeting, StartTls};
    let certificate = Certificate::new();
    for (at, reply, stage, permanent) in [
        ("", "554 5.7.1 not you", Greeting, true),
        ("", "421 4.3.2 busy", Greeting, false),
        ("EHLO", "550 5.7.1 not you", Ehlo, true),
        ("STARTTLS", "454 4.7.0 no TLS now", StartTls, false),
        ("STARTTLS", "502 5.5.1 no TLS ever", StartTls, true),
        ("AUTH", "454 4.7.0 later", Auth, false),
        ("AUTH", "534 5.7.9 too weak", Auth, true),
    ] {
        let mut offer = Offer::with_tls(&certificate);
        offer.extensions.push("AUTH PLAIN");
        let server = NextHopServer::start(offer, move |_, moment| {
            let here = match moment {
                Moment::Connected => at.is_empty(),
                Moment::Command(line) => {
                    !at.is_empty() && line.replace("HELO", "EHLO").starts_with(at)
                }
                _ => false,
            };
            here.then(|| Act::Say(reply.to_owned()))
        })
        .await;
        let opening = Opening {
            login: password("secret"),
            ..opening(&server, TlsMode::Required, trusting(&certificate))
        };
        let not_opened = failure(&opening).await;
        let known = (not_opened.stage, not_opened.permanent);
        assert_eq!(known, (stage, permanent), "{not_opened:?}");
        assert_eq!(not_opened.reply.unwrap().to_string(), reply);
        assert!(not_opened.deferral.text().contains(&reply[10..]));
    }
    let server = NextHopServer::accepting_everything().await;
    let opening = opening(&server, TlsMode::Required, trusting(&certificate));
    let not_opened = failure(&opening).await;
    assert_eq!((not_opened.stage, not_opened.permanent), (StartTls, true));
}
