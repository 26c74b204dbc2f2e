//! A request of the HTTP API is executed once under its key, within a day, for its token alone.

use crate::common;

use common::{open, production};
use gatepost_directory::{DirectoryError, KnownRequest, Refusal};
use gatepost_message::Millis;

/// A day, in milliseconds.
const DAY: u64 = 86_400_000;

#[test]
fn a_request_is_known_under_its_key_for_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let begin = |token: &str, key: &str, digest: &str, at: u64| {
        let known = directory.begin_request(token, key, digest, Millis(at));
        known.unwrap()
    };
    let start = 10 * DAY;
    assert_eq!(begin("one", "a", "x", start), KnownRequest::New);
    assert_eq!(
        begin("one", "a", "x", start + 1),
        KnownRequest::Begun(Millis(start))
    );
    assert_eq!(begin("one", "a", "y", start + 1), KnownRequest::Other);
    assert_eq!(begin("two", "a", "y", start), KnownRequest::New);
    (directory.record_answer("one", "a", "x", Millis(start), b"answer")).unwrap();
    let answered = KnownRequest::Answered(b"answer".to_vec());
    assert_eq!(begin("one", "a", "x", start + DAY - 1), answered);
    assert_eq!(begin("one", "a", "x", start + DAY), KnownRequest::New);
    directory.forget_request("one", "a").unwrap();
    assert_eq!(begin("one", "a", "z", start + DAY), KnownRequest::New);
    directory.expire_requests(Millis(start + 3 * DAY)).unwrap();
    assert_eq!(begin("one", "a", "x", start + DAY), KnownRequest::New);
}

#[test]
fn a_token_has_a_bounded_number_of_requests() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let begin = |token: &str, key: &str, at: u64| {
        let known = directory.begin_request(token, key, "x", Millis(at));
        known.unwrap()
    };
    for number in 0..1000 {
        assert_eq!(begin("one", &number.to_string(), DAY), KnownRequest::New);
    }
    let over = KnownRequest::TooMany { limit: 1000 };
    assert_eq!(begin("one", "more", DAY + 1), over);
    assert_eq!(begin("one", "7", DAY + 1), KnownRequest::Begun(Millis(DAY)));
    assert_eq!(begin("two", "more", DAY + 1), KnownRequest::New);
    assert_eq!(begin("one", "more", 2 * DAY), KnownRequest::New);
}

#[test]
fn a_change_expects_a_revision_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let seen = directory.revision();
    let (added, was_met) = directory.expecting(seen, |directory| {
        production(directory, "a.desk.example");
        // The second change of the same work follows its own first one.
        production(directory, "b.desk.example");
    });
    assert_eq!((added, was_met), ((), true));
    let account = directory.view().accounts().next().unwrap().id;
    let (refused, _) = directory.expecting(seen, |directory| directory.remove_account(account));
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, DirectoryError::Refused(Refusal::ChangedMeanwhile)),
        "{refused}"
    );
    // What only looks leaves the expectation unmet, and the next change of the thread is free.
    let (_, was_met) = directory.expecting(seen, |directory| directory.view());
    assert!(!was_met);
    production(&directory, "c.desk.example");
}
