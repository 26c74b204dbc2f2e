//! Exchanges, from the first message to the claim.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_sasl::{Binding, Claim, Exchange, Mechanism, SaslError, Step, Verifier};
use proptest::prelude::*;
use test_support::Scram;

const BOUND: Binding = [7; 32];

fn verifier() -> Verifier {
    Verifier::new("secret", [1; 16], 4096)
}

/// Runs a SCRAM exchange with [`verifier`].
fn scram(plus: bool, binding: Option<Binding>, client: &mut Scram) -> Result<Claim, SaslError> {
    let mechanism = match plus {
        true => Mechanism::ScramSha256Plus,
        false => Mechanism::ScramSha256,
    };
    let (challenge, exchange) = Exchange::begin(mechanism, binding);
    assert_eq!(challenge, "");
    let Step::Salt(salting) = exchange.respond(client.first().as_bytes())? else {
        panic!("no verifier was asked for");
    };
    let (challenge, exchange) = salting.with(verifier())?;
    match exchange.respond(client.last(&challenge).as_bytes())? {
        Step::Claim(claim) => Ok(claim),
        step => panic!("{step:?}"),
    }
}

#[test]
fn scram_proves_the_password_to_the_server_and_the_verifier_to_the_client() {
    for (plus, binding, gs2) in [
        (false, None, "n,,"),
        (false, None, "y,,"),
        (false, Some(BOUND), "n,,"),
        (false, None, "n,a=user,"),
        (true, Some(BOUND), "p=tls-exporter,,"),
        (true, Some(BOUND), "p=tls-exporter,a=user,"),
    ] {
        let mut client = match plus {
            true => Scram::bound("user", "secret", BOUND),
            false => Scram::new("user", "secret"),
        };
        client.gs2 = gs2.to_owned();
        let claim = scram(plus, binding, &mut client).unwrap();
        assert_eq!(claim.user(), "user");
        assert!(claim.holds(&verifier()), "{gs2}");
        assert!(client.accepts(&claim.receipt().unwrap()));
        assert!(!claim.holds(&Verifier::new("other", [1; 16], 4096)));
    }
    let claim = scram(false, None, &mut Scram::new("user", "wrong")).unwrap();
    assert!(!claim.holds(&verifier()));
}

#[test]
fn a_wrong_channel_binding_ends_the_exchange() {
    let bound = |gs2: &str, binding: &[u8]| {
        let mut client = Scram::new("user", "secret");
        client.gs2 = gs2.to_owned();
        client.binding = binding.to_vec();
        client
    };
    for (case, plus, binding, mut client) in [
        // A man in the middle: the client's TLS connection is not ours.
        (
            "another connection",
            true,
            Some(BOUND),
            bound("p=tls-exporter,,", &[8; 32]),
        ),
        (
            "nothing repeated",
            true,
            Some(BOUND),
            bound("p=tls-exporter,,", &[]),
        ),
        (
            "an unknown kind",
            true,
            Some(BOUND),
            bound("p=tls-unique,,", &BOUND),
        ),
        ("no binding with PLUS", true, Some(BOUND), bound("n,,", &[])),
        // A man in the middle removed PLUS from our offer.
        (
            "the offer was tampered with",
            false,
            Some(BOUND),
            bound("y,,", &[]),
        ),
        (
            "binding without PLUS",
            false,
            Some(BOUND),
            bound("p=tls-exporter,,", &BOUND),
        ),
        (
            "nothing to bind to",
            true,
            None,
            bound("p=tls-exporter,,", &BOUND),
        ),
    ] {
        let result = scram(plus, binding, &mut client);
        assert_eq!(result.unwrap_err(), SaslError::Binding, "{case}");
    }
}

#[test]
fn acting_for_another_user_is_refused() {
    let mut client = Scram::new("user", "secret");
    client.gs2 = "n,a=other,".to_owned();
    let result = scram(false, None, &mut client);
    assert_eq!(result.unwrap_err(), SaslError::OtherUser);
    let (_, plain) = Exchange::begin(Mechanism::Plain, None);
    let result = plain.respond(STANDARD.encode("other\0user\0secret").as_bytes());
    assert_eq!(result, Err(SaslError::OtherUser));
}

#[test]
fn malformed_messages_end_the_exchange() {
    for first in [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=user",
        "n,,n=,r=x",
        "n,,n=user,r=",
        "x,,n=user,r=x",
        "n,b=user,n=user,r=x",
        "n,,m=1,n=user,r=x",
        "n,,n=us=er,r=x",
        "n,,n=user,r=a b",
    ] {
        let (_, exchange) = Exchange::begin(Mechanism::ScramSha256, None);
        let result = exchange.respond(STANDARD.encode(first).as_bytes());
        assert_eq!(result, Err(SaslError::Form), "{first}");
    }
    for last in ["", "c=biws", "c=biws,r=x,p=", "r=x,c=biws,p=AAAA"] {
        let (_, exchange) = Exchange::begin(Mechanism::ScramSha256, None);
        let first = STANDARD.encode("n,,n=user,r=x");
        let Ok(Step::Salt(salting)) = exchange.respond(first.as_bytes()) else {
            panic!("no verifier was asked for");
        };
        let (_, exchange) = salting.with(verifier()).unwrap();
        let result = exchange.respond(STANDARD.encode(last).as_bytes());
        assert_eq!(result, Err(SaslError::Form), "{last}");
    }
}

/// The nonce of another challenge is refused, such as an earlier one's.
#[test]
fn a_response_with_another_nonce_is_refused() {
    let (_, exchange) = Exchange::begin(Mechanism::ScramSha256, None);
    let first = STANDARD.encode("n,,n=user,r=x");
    let Ok(Step::Salt(salting)) = exchange.respond(first.as_bytes()) else {
        panic!("no verifier was asked for");
    };
    let (_, exchange) = salting.with(verifier()).unwrap();
    let proof = STANDARD.encode([0; 32]);
    let last = STANDARD.encode(format!("c=biws,r=xother,p={proof}"));
    assert_eq!(exchange.respond(last.as_bytes()), Err(SaslError::Nonce));
}

#[test]
fn names_and_passwords_are_compared_after_saslprep() {
    // NFKC resolves the ligature and composes the accent; soft hyphens are dropped.
    let verifier = Verifier::new("caf\u{e9}", [1; 16], 4096);
    let (_, plain) = Exchange::begin(Mechanism::Plain, None);
    let message = STANDARD.encode("\0\u{fb01}nn\u{ad}\0cafe\u{301}");
    let Ok(Step::Claim(claim)) = plain.respond(message.as_bytes()) else {
        panic!("no claim");
    };
    assert_eq!(claim.user(), "finn");
    assert!(claim.holds(&verifier));
}

#[test]
fn a_claim_does_not_show_its_password() {
    let (_, plain) = Exchange::begin(Mechanism::Plain, None);
    let step = plain.respond(STANDARD.encode("\0user\0hunter2").as_bytes());
    assert!(!format!("{step:?}").contains("hunter2"));
}

proptest! {
    /// Any message leads to a step or an error, and no guess holds.
    #[test]
    fn no_random_message_authenticates(
        name in "PLAIN|LOGIN|SCRAM-SHA-256|SCRAM-SHA-256-PLUS",
        messages in prop::collection::vec(
            prop_oneof![any::<Vec<u8>>(), "[nyp=a,]{0,4}[a-z=,\0]{0,30}".prop_map(String::into_bytes)], 1..4),
        encoded: bool,
    ) {
        let mechanism = Mechanism::parse(&name, true).unwrap();
        let (_, mut exchange) = Exchange::begin(mechanism, Some(BOUND));
        for message in messages {
            let response = match encoded {
                true => STANDARD.encode(message).into_bytes(),
                false => message,
            };
            exchange = match exchange.respond(&response) {
                Ok(Step::Challenge(_, next)) => next,
                Ok(Step::Salt(salting)) => salting.with(verifier()).unwrap().1,
                Ok(Step::Claim(claim)) => {
                    prop_assert!(!claim.user().is_empty());
                    prop_assert!(!claim.holds(&verifier()));
                    return Ok(());
                }
                Err(_) => return Ok(()),
            };
        }
    }
}
