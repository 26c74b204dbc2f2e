//! Tokens of the HTTP API are in force from their addition until they expire or are removed, and go
//! with their account.

use std::sync::Barrier;
use std::thread;

use crate::common;

use common::{open, production};
use gatepost_directory::{ApiScope, ApiToken, Directory, DirectoryError, PresentedToken, Refusal};
use gatepost_message::Millis;

const NOW: Millis = Millis(1_000_000);

fn add(directory: &Directory, expires: Option<Millis>) -> (ApiToken, PresentedToken) {
    let name = "helpdesk".parse().unwrap();
    let added = directory.add_api_token(None, ApiScope::Operate, name, NOW, expires);
    added.unwrap()
}

#[test]
fn a_token_is_in_force_until_it_expires_or_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let (token, presented) = add(&directory, Some(Millis(NOW.0 + 10)));
    let used = directory.use_api_token(&presented, NOW).unwrap();
    assert_eq!(used.unwrap().id, token.id);
    let late = directory.use_api_token(&presented, Millis(NOW.0 + 10));
    assert_eq!(late.unwrap(), None);

    let (token, presented) = add(&directory, None);
    // Another secret with the same id.
    let other = format!("gatepost_{}_{}", presented.id(), "A".repeat(43));
    let other = PresentedToken::parse(&other).unwrap();
    assert_eq!(directory.use_api_token(&other, NOW).unwrap(), None);
    drop(directory);

    let directory = open(folder.path());
    assert!(directory.use_api_token(&presented, NOW).unwrap().is_some());
    let removed = directory.remove_api_token(None, &token.id).unwrap();
    assert_eq!(removed.id, token.id);
    assert_eq!(directory.use_api_token(&presented, NOW).unwrap(), None);
    let again = directory.remove_api_token(None, &token.id);
    assert!(matches!(
        again,
        Err(DirectoryError::Refused(Refusal::Unknown {
            what: "token",
            ..
        }))
    ));
}

#[test]
fn a_use_is_recorded_once_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let (token, presented) = add(&directory, None);
    let last = || {
        directory
            .view()
            .api_token(&token.id)
            .unwrap()
            .token
            .last_used
    };
    for (at, recorded) in [(0, 0), (59_999, 0), (60_000, 60_000)] {
        let at = Millis(NOW.0 + at);
        // Only a use that is not to be recorded needs no call that may write.
        let recent = directory.recently_used_api_token(&presented, at);
        assert_eq!(recent.is_some(), at.0 - NOW.0 > recorded);
        directory.use_api_token(&presented, at).unwrap();
        assert_eq!(last(), Some(Millis(NOW.0 + recorded)));
    }
    let removed = directory.remove_api_token(None, &token.id).unwrap();
    assert_eq!(removed.last_used, Some(Millis(NOW.0 + 60_000)));
    let recent = directory.recently_used_api_token(&presented, Millis(NOW.0 + 60_001));
    assert_eq!(recent, None);
}

#[test]
fn uses_at_the_same_moment_are_one_change() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let (_, presented) = add(&directory, None);
    let before = directory.revision();
    let together = Barrier::new(16);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                together.wait();
                directory.use_api_token(&presented, NOW).unwrap().unwrap();
            });
        }
    });
    assert_eq!(directory.revision(), before + 1);
}

#[test]
fn the_store_has_no_secret_and_an_owner_fifty_tokens_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let (_, first) = add(&directory, Some(Millis(NOW.0 + 1)));
    for _ in 1..50 {
        add(&directory, None);
    }
    let name = "one more".parse().unwrap();
    let over = directory.add_api_token(None, ApiScope::Read, name, NOW, None);
    assert!(matches!(
        over,
        Err(DirectoryError::Refused(Refusal::TooManyTokens {
            limit: 50
        }))
    ));
    // One that has expired makes room.
    let name = "later".parse().unwrap();
    let later = directory.add_api_token(None, ApiScope::Read, name, Millis(NOW.0 + 1), None);
    later.unwrap();
    assert_eq!(directory.view().api_tokens().count(), 50);

    let text = first.reveal();
    // The secret is the end of the text, and may have underlines itself.
    let secret = &text[text.len() - 43..];
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            let bytes = std::fs::read(file.path()).unwrap();
            let mut found = bytes.windows(secret.len());
            assert!(!found.any(|part| part == secret.as_bytes()), "{file:?}");
        }
    }
}

#[test]
fn the_tokens_of_an_account_go_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let account = production(&directory, "acme.desk.example").id;
    let name: gatepost_directory::Name = "helpdesk".parse().unwrap();
    let added = directory.add_api_token(Some(account), ApiScope::Read, name.clone(), NOW, None);
    let (token, presented) = added.unwrap();
    assert_eq!(token.account, Some(account));
    directory.remove_account(account).unwrap();
    assert_eq!(directory.use_api_token(&presented, NOW).unwrap(), None);
    let gone = directory.add_api_token(Some(account), ApiScope::Read, name, NOW, None);
    assert!(matches!(
        gone,
        Err(DirectoryError::Refused(Refusal::Unknown {
            what: "account",
            ..
        }))
    ));
}
