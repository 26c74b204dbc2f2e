//! Signatures as the specification of Standard Webhooks computes them.
#![allow(clippy::unwrap_used)]

use gatepost_application::{WebhookId, WebhookSecret, sign};
use gatepost_message::{Address, TransactionId};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn signed(secrets: &[&str], body: &[&str]) -> String {
    let secrets: Vec<WebhookSecret> = secrets.iter().map(|text| text.parse().unwrap()).collect();
    let pieces = body.iter().map(Ok::<_, ()>);
    sign(
        &secrets,
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        pieces,
    )
    .unwrap()
}

/// The example that the specification's libraries publish in their tests.
#[test]
fn the_published_example_has_the_published_signature() {
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_eq!(signed(&[SECRET], &[r#"{"test": 2432232314}"#]), signature);
    assert_eq!(
        signed(&[SECRET], &[r#"{"test""#, "", ": 2432232314}"]),
        signature
    );
}

#[test]
fn each_secret_signs_while_the_application_changes_it() {
    let both = signed(&[SECRET, OTHER], &["x"]);
    let each = [signed(&[SECRET], &["x"]), signed(&[OTHER], &["x"])];
    assert_eq!(both, each.join(" "));
    assert_ne!(each[0], each[1]);
}

#[test]
fn the_id_depends_on_message_and_recipients_and_not_on_their_order() {
    let (ann, bob) = (
        Address::parse("ann@a.example"),
        Address::parse("bob@b.example"),
    );
    let (ann, bob) = (ann.unwrap(), bob.unwrap());
    let transaction = TransactionId::new();
    let id = WebhookId::new(transaction, [&ann, &bob]);
    assert_eq!(id, WebhookId::new(transaction, [&bob, &ann]));
    assert_ne!(id, WebhookId::new(transaction, [&ann]));
    assert_ne!(id, WebhookId::new(TransactionId::new(), [&ann, &bob]));
    let id = id.to_string();
    assert!(id.starts_with("msg_") && id.len() == 36, "{id}");
}

#[test]
fn a_secret_has_its_form_and_is_not_shown() {
    let secret: WebhookSecret = SECRET.parse().unwrap();
    assert_eq!(format!("{secret:?}"), "WebhookSecret(..)");
    for wrong in [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_AAAA",
        "whsec_%",
    ] {
        let error = wrong.parse::<WebhookSecret>().unwrap_err().to_string();
        assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
    }
}
