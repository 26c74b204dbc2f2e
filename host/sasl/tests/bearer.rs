//! OAUTHBEARER and XOAUTH2, as a server reads them.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_sasl::{BearerMechanism, SaslError};
use proptest::prelude::*;

fn encoded(message: &str) -> Vec<u8> {
    STANDARD.encode(message).into_bytes()
}

/// The first message of the example in RFC 7628 section 4.1.
#[test]
fn the_example_of_rfc_7628_is_read() {
    let message = "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAX\
                   BvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJo\
                   ZG1semRHRXVZMjl0Q2c9PQEB";
    let claim = BearerMechanism::OauthBearer
        .claim(message.as_bytes())
        .unwrap();
    assert_eq!(claim.user(), Some("user@example.com"));
    assert!(claim.holds("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="));
    assert!(!claim.holds("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg"));
}

/// The example in Google's description of XOAUTH2.
#[test]
fn the_example_of_xoauth2_is_read() {
    let message = "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52\
                   YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==";
    let claim = BearerMechanism::Xoauth2.claim(message.as_bytes()).unwrap();
    assert_eq!(claim.user(), Some("someuser@example.com"));
    assert!(claim.holds("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"));
}

#[test]
fn a_refusal_waits_for_the_acknowledgement_of_its_mechanism() {
    for (mechanism, message, right, wrong) in [
        (
            BearerMechanism::Xoauth2,
            "user=a\x01auth=Bearer t\x01\x01",
            "",
            "AQ==",
        ),
        (
            BearerMechanism::OauthBearer,
            "n,a=a,\x01auth=Bearer t\x01\x01",
            "AQ==",
            "",
        ),
    ] {
        let claim = mechanism.claim(&encoded(message)).unwrap();
        let (challenge, refused) = claim.refuse(r#"{"status":"invalid_token"}"#);
        assert_eq!(
            STANDARD.decode(challenge).unwrap(),
            br#"{"status":"invalid_token"}"#
        );
        assert_eq!(refused.clone().acknowledge(right.as_bytes()), Ok(()));
        assert_eq!(
            refused.clone().acknowledge(wrong.as_bytes()),
            Err(SaslError::Form)
        );
        assert_eq!(refused.acknowledge(b"*"), Err(SaslError::Cancelled));
    }
}

#[test]
fn malformed_messages_are_refused() {
    let bearer = BearerMechanism::OauthBearer;
    for message in [
        "",
        "n,,\x01\x01",
        "n,,\x01auth=Bearer t\x01",
        "n,,\x01auth=Bearer \x01\x01",
        "n,,\x01auth=Basic t\x01\x01",
        "n,,\x01auth=Bearer a b\x01\x01",
        "n,a=,\x01auth=Bearer t\x01\x01",
        "p=tls-exporter,,\x01auth=Bearer t\x01\x01",
        "user=a\x01auth=Bearer t\x01\x01",
    ] {
        assert_eq!(
            bearer.claim(&encoded(message)),
            Err(SaslError::Form),
            "{message:?}"
        );
    }
    let xoauth2 = BearerMechanism::Xoauth2;
    for message in [
        "user=\x01auth=Bearer t\x01\x01",
        "n,a=a,\x01auth=Bearer t\x01\x01",
    ] {
        assert_eq!(
            xoauth2.claim(&encoded(message)),
            Err(SaslError::Form),
            "{message:?}"
        );
    }
    assert_eq!(xoauth2.claim(b"*"), Err(SaslError::Cancelled));
    assert_eq!(xoauth2.claim(b"%"), Err(SaslError::Base64));
}

#[test]
fn a_token_without_a_user_is_read() {
    let message = encoded("n,,\x01auth=bearer t\x01\x01");
    let claim = BearerMechanism::OauthBearer.claim(&message).unwrap();
    assert_eq!(claim.user(), None);
}

#[test]
fn a_claim_does_not_show_its_token() {
    let message = encoded("user=ann\x01auth=Bearer hunter2\x01\x01");
    let claim = BearerMechanism::Xoauth2.claim(&message).unwrap();
    assert!(format!("{claim:?}").contains("ann"));
    assert!(!format!("{claim:?}").contains("hunter2"));
}

proptest! {
    /// Any message is read or refused, and never holds another token.
    #[test]
    fn no_random_message_holds(
        message in "(user=|n,a=)?[a-z,=\x01]{0,20}(\x01auth=Bearer [a-z]{0,5}\x01\x01)?"
    ) {
        for mechanism in [BearerMechanism::Xoauth2, BearerMechanism::OauthBearer] {
            if let Ok(claim) = mechanism.claim(&encoded(&message)) {
                prop_assert!(!claim.holds("the right token"));
            }
        }
    }
}
