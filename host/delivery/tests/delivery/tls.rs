//! TLS to the next hop, by mode.

use gatepost_model::TlsMode;

use crate::support::{
    Act, Certificate, Moment, NextHopServer, ObserverCall, Offer, Relay, message, route_all_to,
};

/// Sends one message; returns `delivered` or the enhanced code, and whether TLS was used.
async fn send(
    server: &NextHopServer,
    mode: TlsMode,
    trust: Option<&Certificate>,
) -> (String, bool) {
    let directory = tempfile::tempdir().unwrap();
    let mut relay = Relay::start(route_all_to(server.hop(mode)), |settings| {
        settings.trusted = trust
            .iter()
            .map(|trust| trust.write_to(directory.path()))
            .collect();
    });
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("secret"))
        .await;
    let told = relay.next_call().await;
    let ObserverCall::Ended { tls, .. } = &told else {
        panic!("{told:?}");
    };
    let secured = tls.is_some();
    let (_, word, reply) = told.ended();
    match word {
        "deferred" => (reply.enhanced().unwrap().to_string(), secured),
        word => (word.to_owned(), secured),
    }
}

fn delivered(secured: bool) -> (String, bool) {
    ("delivered".to_owned(), secured)
}

#[tokio::test]
async fn opportunistic_tls_accepts_any_certificate() {
    let certificate = Certificate::new();
    let server = NextHopServer::start(Offer::with_tls(&certificate), |_, _| None).await;
    assert_eq!(
        send(&server, TlsMode::Opportunistic, None).await,
        delivered(true)
    );
    assert!(server.received()[0].tls);
    // RFC 3207 section 4.2: everything before TLS is forgotten.
    let greetings = server
        .commands()
        .iter()
        .filter(|(_, line)| line == "EHLO relay.example")
        .count();
    assert_eq!(greetings, 2);
}

#[tokio::test]
async fn opportunistic_tls_falls_back_to_plaintext_if_not_offered() {
    let server = NextHopServer::accepting_everything().await;
    assert_eq!(
        send(&server, TlsMode::Opportunistic, None).await,
        delivered(false)
    );
}

#[tokio::test]
async fn opportunistic_tls_reconnects_in_plaintext_if_the_handshake_fails() {
    let certificate = Certificate::new();
    let server = NextHopServer::start(Offer::with_tls(&certificate), |_, moment| match moment {
        // The octets that follow are not TLS.
        Moment::Command("STARTTLS") => Some(Act::SayAndClose("220 2.0.0 go ahead".to_owned())),
        _ => None,
    })
    .await;
    assert_eq!(
        send(&server, TlsMode::Opportunistic, None).await,
        delivered(false)
    );
    assert_eq!(server.connections(), 2);
    assert!(!server.received()[0].tls);
}

#[tokio::test]
async fn opportunistic_tls_reconnects_in_plaintext_if_the_session_ends_after_the_handshake() {
    // In TLS 1.3 the client is finished before the server has checked its certificate.
    for certificate in [Certificate::new(), Certificate::demanding_another()] {
        let tls_once = std::sync::Mutex::new(std::collections::HashSet::new());
        let server =
            NextHopServer::start(
                Offer::with_tls(&certificate),
                move |at, moment| match moment {
                    Moment::Command("STARTTLS") => {
                        tls_once.lock().unwrap().insert(at);
                        None
                    }
                    Moment::Command(line) if line.starts_with("EHLO") => {
                        tls_once.lock().unwrap().contains(&at).then_some(Act::Close)
                    }
                    _ => None,
                },
            )
            .await;
        assert_eq!(
            send(&server, TlsMode::Opportunistic, None).await,
            delivered(false)
        );
        assert_eq!(server.connections(), 2);
        // If TLS is required, the message waits.
        let (word, _) = send(&server, TlsMode::Required, Some(&certificate)).await;
        assert_eq!(word, "4.7.5");
    }
}

#[tokio::test]
async fn tls_mode_none_never_sends_starttls() {
    let certificate = Certificate::new();
    let server = NextHopServer::start(Offer::with_tls(&certificate), |_, _| None).await;
    assert_eq!(send(&server, TlsMode::None, None).await, delivered(false));
    assert!(!server.commands().iter().any(|(_, line)| line == "STARTTLS"));
}

#[tokio::test]
async fn required_tls_delivers_with_a_verified_certificate() {
    let certificate = Certificate::new();
    let server = NextHopServer::start(Offer::with_tls(&certificate), |_, _| None).await;
    assert_eq!(
        send(&server, TlsMode::Required, Some(&certificate)).await,
        delivered(true)
    );
}

#[tokio::test]
async fn implicit_tls_delivers_with_a_verified_certificate_and_defers_with_another() {
    let certificate = Certificate::new();
    let offer = Offer {
        implicit: Some(certificate.clone()),
        ..Offer::usual()
    };
    let server = NextHopServer::start(offer, |_, _| None).await;
    let sent = send(&server, TlsMode::Implicit, Some(&certificate)).await;
    assert_eq!(sent, delivered(true));
    assert!(!server.commands().iter().any(|(_, line)| line == "STARTTLS"));
    let (code, _) = send(&server, TlsMode::Implicit, Some(&Certificate::new())).await;
    assert_eq!(code, "4.7.5");
    // A server that waits for plaintext.
    let server = NextHopServer::accepting_everything().await;
    let (code, _) = send(&server, TlsMode::Implicit, Some(&certificate)).await;
    assert_eq!((code.as_str(), server.received().len()), ("4.7.5", 0));
}

#[tokio::test]
async fn required_tls_defers_with_an_unverified_certificate() {
    let certificate = Certificate::new();
    let server = NextHopServer::start(Offer::with_tls(&certificate), |_, _| None).await;
    let other = Certificate::new();
    let (code, _) = send(&server, TlsMode::Required, Some(&other)).await;
    assert_eq!(code, "4.7.5");
    assert_eq!(server.received(), []);
}

#[tokio::test]
async fn required_tls_defers_if_the_certificate_is_for_another_name() {
    let certificate = Certificate::new();
    let server = NextHopServer::start(Offer::with_tls(&certificate), |_, _| None).await;
    let directory = tempfile::tempdir().unwrap();
    let mut hop = server.hop(TlsMode::Required);
    hop.host = "127.0.0.1".to_owned();
    let mut relay = Relay::start(route_all_to(hop), |settings| {
        settings.trusted = vec![certificate.write_to(directory.path())];
    });
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("secret"))
        .await;
    let ended = relay.ended(1).await;
    assert_eq!(
        (ended[0].1, ended[0].2.enhanced().unwrap().to_string()),
        ("deferred", "4.7.5".to_owned())
    );
}

#[tokio::test]
async fn required_tls_defers_if_starttls_is_missing_or_refused() {
    let server = NextHopServer::accepting_everything().await;
    assert_eq!(send(&server, TlsMode::Required, None).await.0, "4.7.4");

    let certificate = Certificate::new();
    let server = NextHopServer::start(Offer::with_tls(&certificate), |_, moment| match moment {
        Moment::Command("STARTTLS") => crate::support::say("502 5.5.1 no such command"),
        _ => None,
    })
    .await;
    assert_eq!(send(&server, TlsMode::Required, None).await.0, "4.7.4");
    assert_eq!(server.received(), []);
}

#[test]
fn a_file_without_certificates_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("empty.pem");
    std::fs::write(&file, "nothing\n").unwrap();
    let start = |file: std::path::PathBuf| {
        let settings = || {
            let mut settings = gatepost_delivery::Settings::new("relay.example");
            settings.trusted = vec![file.clone()];
            settings
        };
        crate::support::start_error(settings())
    };
    assert!(start(file).contains("empty.pem holds no usable certificate"));
    assert!(start(directory.path().join("absent.pem")).contains("absent.pem"));
}
