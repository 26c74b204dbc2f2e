//! Tokens: only the relay makes one, and one survives what gateways do.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod support;

use gatepost_verification::{Language, ProbeId, ProbeKind, ProbeToken, ProbeTokens, TokenPlace};
use proptest::prelude::*;
use ring::hmac;
use support::{address, bytes, changed, composed, domain, message, token, tokens, without};

#[test]
fn a_token_is_recognised_by_every_key_of_the_ring_and_by_no_other() {
    let key = |byte| hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]);
    let id = support::ID.parse().unwrap();
    let before = ProbeTokens::new(vec![key(1)]);
    let rotated = ProbeTokens::new(vec![key(1), key(2)]);
    let old = before.issue(id).unwrap();
    let new = rotated.issue(id).unwrap();
    assert_eq!(rotated.verify(old.as_str()), Some(old.clone()));
    assert_eq!(rotated.verify(new.as_str()), Some(new.clone()));
    assert_eq!(before.verify(new.as_str()), None);
    assert_eq!(ProbeTokens::new(vec![key(3)]).verify(old.as_str()), None);
    assert_eq!(ProbeTokens::new(Vec::new()).issue(id), None);
}

#[test]
fn a_token_fits_into_a_local_part_and_is_not_shown_by_debug() {
    let token = token();
    const { assert!(ProbeToken::LENGTH <= 40) };
    let path = token.return_path(&domain("mx.desk.example")).unwrap();
    assert!(path.local().len() <= 64, "{path}");
    assert_eq!(tokens().of_return_path(&path), Some(token.clone()));
    let upper = address(&path.as_str().to_uppercase());
    assert_eq!(tokens().of_return_path(&upper), Some(token.clone()));
    for other in [
        "probe@desk.example",
        "probe+@desk.example",
        "b+x@desk.example",
        "é@desk.example",
    ] {
        assert_eq!(tokens().of_return_path(&address(other)), None, "{other}");
    }
    assert!(!format!("{token:?}").contains(token.as_str()));
}

#[test]
fn the_token_is_found_in_what_is_left_of_the_message() {
    for language in Language::ALL {
        for kind in ProbeKind::ALL {
            let found = |message: &gatepost_message::Message| {
                let found = tokens().find(message, &bytes(message));
                let found = found.unwrap_or_else(|| panic!("{language} {kind:?}: no token"));
                assert_eq!(found.token, token());
                found.place
            };
            let whole = composed(kind, language);
            assert_eq!(found(&whole), TokenPlace::Field);
            let upper = changed(&whole, token().as_str(), &token().as_str().to_uppercase());
            assert_eq!(found(&upper), TokenPlace::Field);
            let without_field = without(&whole, "X-Gatepost-Probe");
            assert_eq!(found(&without_field), TokenPlace::MessageId);
            let without_id = without(&without_field, "Message-ID");
            assert_eq!(found(&without_id), TokenPlace::Subject);
            let body_alone = without(&without_id, "Subject");
            assert_eq!(found(&body_alone), TokenPlace::Body);
            assert_eq!(tokens().find_in_head(&body_alone), None);
        }
    }
}

#[test]
fn another_message_has_no_token() {
    let text = format!(
        "X-Gatepost-Probe: {}\r\nMessage-ID: <1@a.example>\r\nSubject: [hello]\r\n\r\ntext\r\n",
        "a".repeat(ProbeToken::LENGTH)
    );
    assert_eq!(tokens().find(&message(&text), text.as_bytes()), None);
}

proptest! {
    #[test]
    fn every_id_comes_back_and_no_changed_token_verifies(
        id in "[a-z2-7]{26}",
        at in 0..ProbeToken::LENGTH,
        letter in proptest::sample::select("abcdefghijklmnopqrstuvwxyz234567019-é".chars().collect::<Vec<_>>()),
    ) {
        let text = id;
        let id: ProbeId = text.parse().unwrap();
        prop_assert_eq!(id.as_str(), &text);
        prop_assert_eq!(text.to_uppercase().parse(), Ok(id));
        prop_assert!(text[1..].parse::<ProbeId>().is_err());
        let token = tokens().issue(id).unwrap();
        prop_assert_eq!(token.as_str().len(), ProbeToken::LENGTH);
        let verified = tokens().verify(token.as_str());
        prop_assert_eq!(verified.as_ref().map(ProbeToken::id), Some(id));
        let mut letters: Vec<char> = token.as_str().chars().collect();
        if letters[at] != letter {
            letters[at] = letter;
            let forged: String = letters.into_iter().collect();
            prop_assert_eq!(tokens().verify(&forged), None);
        }
    }

    #[test]
    fn any_octets_are_searched(octets in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert_eq!(tokens().find(&message(&octets), &octets), None);
    }
}
