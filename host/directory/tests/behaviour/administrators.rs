//! Administrators: who there may be, and what proves their addresses.

use crate::common;

use std::time::Duration;

use common::{address, open, production};
use gatepost_directory::{
    AccountId, CODE_LIFE, CODE_PAUSE, CodeOutcome, Directory, DirectoryError, MAX_ADMINISTRATORS,
    MOST_WRONG_CODES, Refusal,
};
use gatepost_message::Millis;

fn refusal<T: std::fmt::Debug>(result: Result<T, DirectoryError>) -> Refusal {
    match result.unwrap_err() {
        DirectoryError::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

/// Adds the administrator `ann@acme.example` to a new account.
fn with_ann(directory: &Directory) -> AccountId {
    let id = production(directory, "acme.desk.example").id;
    let ann = address("ann@acme.example");
    let added = directory.add_administrator(id, ann, None, "pt".to_owned());
    assert_eq!(added.unwrap().verified, None);
    id
}

#[test]
fn a_code_proves_the_address_once() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let (id, ann) = (with_ann(&directory), address("Ann@ACME.example"));
    let now = Millis::now();
    let (code, _) = directory.make_code(id, &ann, now).unwrap();
    drop(directory);
    // Only a verifier is kept.
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        for form in [code.clone(), code.replace('-', "")] {
            let found = content.windows(form.len()).any(|at| at == form.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
    let directory = open(folder.path());
    let given = code.replace('-', " ").to_uppercase();
    let taken = directory.take_code(id, &ann, &given, now).unwrap();
    assert!(matches!(taken, CodeOutcome::Verified(by) if by.verified == Some(now)));
    assert_eq!(directory.view().administrators(id)[0].verified, Some(now));
    let again = directory.take_code(id, &ann, &code, now).unwrap();
    assert_eq!(again, CodeOutcome::NoCode);
}

#[test]
fn a_code_is_good_for_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let (id, ann) = (with_ann(&directory), address("ann@acme.example"));
    let now = Millis::now();
    let (code, _) = directory.make_code(id, &ann, now).unwrap();
    let late = directory.take_code(id, &ann, &code, now + CODE_LIFE);
    assert_eq!(late.unwrap(), CodeOutcome::NoCode);
    let just_in_time = now + (CODE_LIFE - Duration::from_millis(1));
    let taken = directory.take_code(id, &ann, &code, just_in_time);
    assert!(matches!(taken.unwrap(), CodeOutcome::Verified(_)));
}

#[test]
fn a_code_is_not_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let (id, ann) = (with_ann(&directory), address("ann@acme.example"));
    let now = Millis::now();
    let (code, _) = directory.make_code(id, &ann, now).unwrap();
    for left in (0..MOST_WRONG_CODES).rev() {
        let wrong = directory.take_code(id, &ann, "aaaa-aaaa-aaaa", now);
        assert_eq!(wrong.unwrap(), CodeOutcome::Wrong(left));
    }
    let right = directory.take_code(id, &ann, &code, now).unwrap();
    assert_eq!(right, CodeOutcome::NoCode);
    assert!(matches!(
        refusal(directory.make_code(id, &ann, now)),
        Refusal::CodeSentLately { again, .. } if again == now + CODE_PAUSE
    ));
    let later = now + CODE_PAUSE;
    let (code, _) = directory.make_code(id, &ann, later).unwrap();
    let taken = directory.take_code(id, &ann, &code, later).unwrap();
    assert!(matches!(taken, CodeOutcome::Verified(_)));
}

#[test]
fn a_code_sent_again_takes_the_place_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let (id, ann) = (with_ann(&directory), address("ann@acme.example"));
    let now = Millis::now();
    let (first, _) = directory.make_code(id, &ann, now).unwrap();
    let later = now + CODE_PAUSE;
    let (second, _) = directory.make_code(id, &ann, later).unwrap();
    let taken = directory.take_code(id, &ann, &first, later).unwrap();
    assert_eq!(taken, CodeOutcome::Wrong(MOST_WRONG_CODES - 1));
    let taken = directory.take_code(id, &ann, &second, later).unwrap();
    assert!(matches!(taken, CodeOutcome::Verified(_)));
}

#[test]
fn an_account_has_twenty_administrators_each_address_once() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let id = production(&directory, "acme.desk.example").id;
    let add = |local: String| {
        let of = address(&format!("{local}@acme.example"));
        directory.add_administrator(id, of, None, "en".to_owned())
    };
    for number in 0..MAX_ADMINISTRATORS {
        add(format!("a{number}")).unwrap();
    }
    assert!(matches!(
        refusal(add("A7".to_owned())),
        Refusal::AdministratorExists { .. }
    ));
    assert!(matches!(
        refusal(add("more".to_owned())),
        Refusal::TooManyAdministrators { .. }
    ));
    let seventh = address("a7@ACME.example");
    directory.remove_administrator(id, &seventh).unwrap();
    assert!(matches!(
        refusal(directory.remove_administrator(id, &seventh)),
        Refusal::NoAdministrator { .. }
    ));
    add("more".to_owned()).unwrap();
}
