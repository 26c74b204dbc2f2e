//! Secrets of credentials that a link shows once.

use crate::common;

use std::fs;
use std::net::IpAddr;

use common::{open, production};
use gatepost_directory::{
    AuditQuery, Directory, DirectoryError, Grant, HandoverToken, Issued, Refusal, UserName,
};
use gatepost_message::Millis;

const NOW: Millis = Millis(1_000_000);
const EXPIRES: Millis = Millis(2_000_000);
const SOMEBODY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9));

/// A directory with one credential for submission.
fn with_credential(folder: &std::path::Path) -> (Directory, Issued) {
    let directory = open(folder);
    let account = production(&directory, "acme.desk.example").id;
    let issued = directory.issue(Grant::Submission { account }, false);
    (directory, issued.unwrap())
}

/// Hands the credential over; the token of the link as text.
fn hand_over(directory: &Directory, user: &UserName) -> String {
    let handed_over = directory.hand_over(user, NOW, EXPIRES).unwrap();
    handed_over.token.reveal().to_string()
}

fn opened(directory: &Directory, token: &str, now: Millis) -> Option<Issued> {
    let token = HandoverToken::parse(token).unwrap();
    let shown = directory.is_handed_over(&token, now);
    let opened = directory.open_handover(&token, now, SOMEBODY).unwrap();
    assert_eq!(opened.is_some(), shown);
    opened
}

fn refused(result: Result<gatepost_directory::HandedOver, DirectoryError>) -> Refusal {
    match result.unwrap_err() {
        DirectoryError::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

#[test]
fn a_link_shows_a_new_secret_once_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, issued) = with_credential(folder.path());
    let user = issued.credential.user_name.clone();
    let token = hand_over(&directory, &user);
    drop(directory);

    let directory = open(folder.path());
    let shown = opened(&directory, &token, NOW).unwrap();
    assert_eq!(shown.credential.user_name, user);
    assert_ne!(
        shown.secret, issued.secret,
        "the former secret is not the link's"
    );
    let view = directory.view();
    let verifier = &view.credential(user.as_str()).unwrap().verifier;
    assert!(verifier.is_of(shown.secret.reveal()));
    assert!(!verifier.is_of(issued.secret.reveal()));
    assert!(opened(&directory, &token, NOW).is_none(), "once");

    let audit = directory.audit(&AuditQuery {
        limit: 10,
        ..AuditQuery::default()
    });
    let audit = audit.unwrap();
    let actions: Vec<_> = audit.iter().map(|of| of.entry.action.as_str()).collect();
    // That it was made is in the log by the operation.
    assert_eq!(actions, ["credential-link-opened"]);
    assert_eq!(audit[0].entry.origin.as_deref(), Some("192.0.2.9"));
    // Neither the secret nor the token is in a file.
    for entry in fs::read_dir(folder.path()).unwrap() {
        let octets = fs::read(entry.unwrap().path()).unwrap_or_default();
        for text in [shown.secret.reveal(), &token] {
            let mut windows = octets.windows(text.len());
            assert!(!windows.any(|window| window == text.as_bytes()));
        }
    }
}

#[test]
fn an_expired_link_shows_nothing_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, issued) = with_credential(folder.path());
    let token = hand_over(&directory, &issued.credential.user_name);
    assert!(opened(&directory, &token, EXPIRES).is_none());
    assert_eq!(directory.view().handovers().count(), 1);
    assert_eq!(directory.drop_expired_handovers(NOW).unwrap(), 0);
    assert_eq!(directory.drop_expired_handovers(EXPIRES).unwrap(), 1);
    assert_eq!(directory.view().handovers().count(), 0);
}

#[test]
fn the_next_link_takes_the_former_one_back() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, issued) = with_credential(folder.path());
    let user = issued.credential.user_name;
    let former = hand_over(&directory, &user);
    let token = hand_over(&directory, &user);
    assert!(opened(&directory, &former, NOW).is_none());
    assert!(opened(&directory, &token, NOW).is_some());
}

#[test]
fn a_link_goes_with_its_credential() {
    for cancelled in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (directory, issued) = with_credential(folder.path());
        let user = issued.credential.user_name;
        let token = hand_over(&directory, &user);
        match cancelled {
            true => directory.cancel(&user).map(drop).unwrap(),
            false => directory.remove_credential(&user).unwrap(),
        }
        assert!(opened(&directory, &token, NOW).is_none());
        assert_eq!(directory.view().handovers().count(), 0);
    }
}

/// Its owner would be locked out.
#[test]
fn a_credential_in_use_is_not_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, issued) = with_credential(folder.path());
    let user = issued.credential.user_name;
    directory.record_use(&user, None, NOW);
    let refusal = refused(directory.hand_over(&user, NOW, EXPIRES));
    assert_eq!(refusal, Refusal::CredentialUsed(user.clone()));
    let view = directory.view();
    let verifier = &view.credential(user.as_str()).unwrap().verifier;
    assert!(verifier.is_of(issued.secret.reveal()));

    directory.cancel(&user).map(drop).unwrap();
    let refusal = refused(directory.hand_over(&user, NOW, EXPIRES));
    assert_eq!(refusal, Refusal::CredentialEnded(user));
}
