//! The client's side of exchanges, against the server's side of this crate and against scripts.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_sasl::client::{
    Begun, Channel, CredentialError, Exchange, ExchangeError, Login, LoginCredential, Mechanism,
};
use gatepost_sasl::{Binding, Claim, Exchange as ServerExchange, Mechanism as Offered, Step};
use gatepost_sasl::{SaslError, Verifier};
use proptest::prelude::*;
use zeroize::Zeroizing;

const BOUND: Binding = [7; 32];

fn channel(binding: Option<Binding>) -> Channel {
    Channel::encrypted("smtp.next.example", 587, binding)
}

fn password(user: &str, password: &str) -> Login {
    let password = Zeroizing::new(password.to_owned());
    login(LoginCredential::password(user, password).unwrap())
}

fn token(user: &str, token: &str) -> Login {
    login(LoginCredential::token(user, Zeroizing::new(token.to_owned())).unwrap())
}

fn login(credential: LoginCredential) -> Login {
    Login {
        credential,
        mechanisms: Mechanism::ALL.to_vec(),
    }
}

fn begin(login: &Login, offered: &[Mechanism]) -> Begun {
    Exchange::begin(login, offered, &channel(None)).unwrap()
}

fn decoded(message: &str) -> String {
    String::from_utf8(STANDARD.decode(message).unwrap()).unwrap()
}

/// Runs an exchange between both sides of this crate. Returns the claim that the server has, and
/// what the client makes of a success.
fn with_server(
    login: &Login,
    offered: &[Mechanism],
    verifier: &Verifier,
    [ours, theirs]: [Option<Binding>; 2],
) -> Result<(Claim, Result<(), ExchangeError>), SaslError> {
    let begun = Exchange::begin(login, offered, &channel(ours)).unwrap();
    let named = Offered::parse(begun.mechanism.name(), theirs.is_some()).unwrap();
    let (challenge, mut server) = ServerExchange::begin(named, theirs);
    let mut client = begun.exchange;
    let mut response = match begun.initial {
        Some(initial) => initial,
        None => client.answer(challenge).unwrap(),
    };
    loop {
        let (challenge, next) = match server.respond(response.as_bytes())? {
            Step::Challenge(challenge, next) => (challenge, next),
            Step::Salt(salting) => salting.with(verifier.clone())?,
            Step::Claim(claim) => {
                if let Some(receipt) = claim.receipt() {
                    match client.answer(&receipt) {
                        Ok(acknowledgement) => assert_eq!(*acknowledgement, ""),
                        Err(error) => return Ok((claim, Err(error))),
                    }
                }
                return Ok((claim, client.finish()));
            }
        };
        server = next;
        response = client.answer(&challenge).unwrap();
    }
}

#[test]
fn each_mechanism_with_a_password_logs_in_at_our_own_server() {
    let verifier = Verifier::new("secret", [1; 16], 4096);
    let login = password("user,=name", "secret");
    for mechanism in [
        Mechanism::Plain,
        Mechanism::Login,
        Mechanism::ScramSha256,
        Mechanism::ScramSha256Plus,
    ] {
        let binding = (mechanism == Mechanism::ScramSha256Plus).then_some(BOUND);
        let ran = with_server(&login, &[mechanism], &verifier, [binding; 2]);
        let (claim, finished) = ran.unwrap();
        assert_eq!(claim.user(), "user,=name");
        assert!(claim.holds(&verifier), "{mechanism}");
        assert_eq!(finished, Ok(()), "{mechanism}");
    }
}

#[test]
fn a_server_that_does_not_know_the_password_is_not_believed() {
    let login = password("user", "secret");
    let offered = [Mechanism::ScramSha256];
    let ignorant = Verifier::new("guess", [1; 16], 4096);
    let (claim, finished) = with_server(&login, &offered, &ignorant, [None; 2]).unwrap();
    assert!(!claim.holds(&ignorant));
    assert_eq!(finished, Err(ExchangeError::Unproved));

    // It says success at once, or instead of its proof.
    let begun = begin(&login, &offered);
    assert_eq!(begun.exchange.finish(), Err(ExchangeError::Unproved));
    let mut begun = begin(&login, &offered);
    let first = decoded(&begun.initial.unwrap());
    let nonce = first.split("r=").nth(1).unwrap();
    let challenge = STANDARD.encode(format!("r={nonce}x,s=AAAA,i=4096"));
    begun.exchange.answer(&challenge).unwrap();
    assert_eq!(begun.exchange.finish(), Err(ExchangeError::Unproved));
}

#[test]
fn a_removed_offer_of_channel_binding_is_noticed_by_the_server() {
    let verifier = Verifier::new("secret", [1; 16], 4096);
    let login = password("user", "secret");
    let gs2 = |offered: &[Mechanism], binding| {
        let begun = Exchange::begin(&login, offered, &channel(binding)).unwrap();
        let first = decoded(&begun.initial.unwrap());
        first[..first.find(",n=").unwrap() + 1].to_owned()
    };
    let all = [Mechanism::ScramSha256Plus, Mechanism::ScramSha256];
    let removed = [Mechanism::ScramSha256];
    assert_eq!(gs2(&all, Some(BOUND)), "p=tls-exporter,,");
    assert_eq!(gs2(&removed, Some(BOUND)), "y,,");
    assert_eq!(gs2(&all, None), "n,,");
    let noticed = with_server(&login, &removed, &verifier, [Some(BOUND), Some(BOUND)]);
    assert_eq!(noticed.err(), Some(SaslError::Binding));

    // A connection that allows only the mechanism without must not seem to be tampered with.
    let mut unbound = login.clone();
    unbound.mechanisms = vec![Mechanism::ScramSha256];
    let begun = Exchange::begin(&unbound, &all, &channel(Some(BOUND))).unwrap();
    assert!(decoded(&begun.initial.unwrap()).starts_with("n,,"));
}

#[test]
fn a_man_in_the_middle_is_noticed_by_the_channel_binding() {
    let verifier = Verifier::new("secret", [1; 16], 4096);
    let login = password("user", "secret");
    let offered = [Mechanism::ScramSha256Plus];
    let other = with_server(&login, &offered, &verifier, [Some(BOUND), Some([8; 32])]);
    assert_eq!(other.err(), Some(SaslError::Binding));
}

#[test]
fn the_mechanism_is_the_first_allowed_one_that_is_offered_and_fits_the_credential() {
    let all = Mechanism::ALL;
    // Exchange Online.
    let exchange = [Mechanism::Login, Mechanism::Xoauth2];
    for (credential, offered, mechanism) in [
        (password("u", "p"), &all[..], Mechanism::ScramSha256),
        (password("u", "p"), &exchange, Mechanism::Login),
        (token("u", "t"), &exchange, Mechanism::Xoauth2),
        (token("u", "t"), &all, Mechanism::OauthBearer),
    ] {
        assert_eq!(begin(&credential, offered).mechanism, mechanism);
    }
    let mut preferring = password("u", "p");
    preferring.mechanisms = vec![Mechanism::Login, Mechanism::Plain, Mechanism::Xoauth2];
    assert_eq!(begin(&preferring, &all).mechanism, Mechanism::Login);
    for offered in [&[Mechanism::Xoauth2][..], &[Mechanism::ScramSha256], &[]] {
        let none = Exchange::begin(&preferring, offered, &channel(None));
        let (offered, others) = (offered.to_vec(), Vec::new());
        let wanted = ExchangeError::NoMechanism { offered, others };
        assert_eq!(none.err(), Some(wanted));
    }
    // Without something to bind to there is no PLUS.
    let bound = Exchange::begin(&password("u", "p"), &[all[0]], &channel(None));
    assert!(bound.is_err());
}

#[test]
fn an_error_of_a_bearer_mechanism_is_acknowledged_and_kept() {
    let error = r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#;
    let long = format!("{}\r\n\u{1b}[0m{}", error, "x".repeat(2000));
    for (mechanism, acknowledgement) in [(Mechanism::Xoauth2, ""), (Mechanism::OauthBearer, "AQ==")]
    {
        let mut exchange = begin(&token("user@b.example", "abc"), &[mechanism]).exchange;
        assert_eq!(exchange.reason(), None);
        let response = exchange.answer(&STANDARD.encode(error)).unwrap();
        assert_eq!(*response, acknowledgement);
        assert_eq!(exchange.reason(), Some(error));
        assert!(exchange.answer("").is_err(), "a second error");
        assert!(exchange.finish().is_err(), "success after the error");

        let mut exchange = begin(&token("user@b.example", "abc"), &[mechanism]).exchange;
        exchange.answer(&STANDARD.encode(&long)).unwrap();
        let reason = exchange.reason().unwrap();
        assert_eq!(reason.len(), 1024);
        assert!(!reason.contains(char::is_control));
    }
}

#[test]
fn login_answers_two_questions_whatever_their_words() {
    for questions in [["VXNlcm5hbWU6", "UGFzc3dvcmQ6"], ["", "anything"]] {
        let Begun {
            initial,
            mut exchange,
            ..
        } = begin(&password("user", "secret"), &[Mechanism::Login]);
        assert_eq!(initial, None);
        let answers = questions.map(|question| decoded(&exchange.answer(question).unwrap()));
        assert_eq!(answers, ["user", "secret"]);
        assert_eq!(exchange.answer(""), Err(ExchangeError::Form));
    }
    let early = begin(&password("user", "secret"), &[Mechanism::Login]);
    assert_eq!(early.exchange.finish(), Err(ExchangeError::Early));
}

#[test]
fn malformed_challenges_end_the_exchange() {
    let login = password("user", "secret");
    let long = "A".repeat(13_000);
    for (mechanism, challenge, error) in [
        (Mechanism::ScramSha256, "***", ExchangeError::Base64),
        (Mechanism::ScramSha256, "/w==", ExchangeError::Form),
        (
            Mechanism::ScramSha256,
            long.as_str(),
            ExchangeError::TooLong,
        ),
        (Mechanism::Plain, "", ExchangeError::Form),
    ] {
        let mut exchange = begin(&login, &[mechanism]).exchange;
        assert_eq!(exchange.answer(challenge), Err(error.clone()));
        assert!(exchange.finish().is_err(), "success after {error}");
    }
}

#[test]
fn what_no_mechanism_can_carry_is_no_credential() {
    let word = |text: &str| Zeroizing::new(text.to_owned());
    let user = |user: &str| LoginCredential::password(user, word("p")).err();
    for bad in ["", "a\0b", "a\x01b", "\u{ad}", &"x".repeat(256)] {
        assert_eq!(user(bad), Some(CredentialError::User), "{bad:?}");
    }
    let password = |password: &str| LoginCredential::password("u", word(password)).err();
    for bad in ["", "a\0b", &"x".repeat(1025)] {
        assert_eq!(password(bad), Some(CredentialError::Password), "{bad:?}");
    }
    let token = |token: &str| LoginCredential::token("u", word(token)).err();
    for bad in ["", "a b", "a\x01b", "\u{e4}", &"x".repeat(8193)] {
        assert_eq!(token(bad), Some(CredentialError::Token), "{bad:?}");
    }
}

#[test]
fn nothing_shows_the_secret() {
    for secret in [password("user", "hunter2"), token("user", "hunter2")] {
        let shown = [
            format!("{secret:?}"),
            format!("{:?}", begin(&secret, &Mechanism::ALL).exchange),
            format!("{:?}", channel(Some(BOUND))),
        ]
        .concat();
        assert!(
            !shown.contains("hunter2") && !shown.contains("7, 7"),
            "{shown}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any name and password that the client can carry are those that the server reads.
    #[test]
    fn both_sides_agree_on_any_name_and_password(
        user in "\\PC{1,20}", secret in "\\PC{1,20}",
        mechanism in prop::sample::select(vec![
            Mechanism::Plain, Mechanism::Login, Mechanism::ScramSha256]),
    ) {
        let word = Zeroizing::new(secret.clone());
        let Ok(credential) = LoginCredential::password(&user, word) else { return Ok(()); };
        let verifier = Verifier::new(&secret, [1; 16], 4096);
        let ran = with_server(&login(credential), &[mechanism], &verifier, [None; 2]);
        let (claim, finished) = ran.unwrap();
        prop_assert_eq!(claim.user(), gatepost_sasl::prepare(&user));
        prop_assert!(claim.holds(&verifier));
        prop_assert_eq!(finished, Ok(()));
    }

    /// No challenges make a SCRAM exchange believe in a server without the verifier.
    #[test]
    fn no_random_challenge_proves_a_server(
        challenges in prop::collection::vec(
            prop_oneof![
                any::<Vec<u8>>(),
                "(r=NONCE[a-z]{0,3},s=[A-Za-z]{4},i=4096|[vesrim]=[a-z=,]{0,9})"
                    .prop_map(String::into_bytes),
            ], 0..4),
        encoded: bool,
        mechanism in prop::sample::select(Mechanism::ALL.to_vec()),
    ) {
        let secret = match mechanism.takes_token() {
            true => token("user", "secret"),
            false => password("user", "secret"),
        };
        let channel = channel(Some(BOUND));
        let begun = Exchange::begin(&secret, &[mechanism], &channel).unwrap();
        let mut exchange = begun.exchange;
        let first = begun.initial.map(|initial| decoded(&initial)).unwrap_or_default();
        let nonce = first.split(",r=").nth(1).unwrap_or_default();
        let scram = nonce.len() > 1;
        for challenge in challenges {
            let challenge = match String::from_utf8(challenge) {
                Ok(text) => text.replace("NONCE", nonce).into_bytes(),
                Err(error) => error.into_bytes(),
            };
            let challenge = match encoded {
                true => STANDARD.encode(challenge),
                false => String::from_utf8_lossy(&challenge).into_owned(),
            };
            if exchange.answer(&challenge).is_err() {
                break;
            }
        }
        if scram {
            prop_assert!(exchange.finish().is_err());
        }
    }
}
