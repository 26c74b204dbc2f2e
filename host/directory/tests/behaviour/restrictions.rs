//! Caps and suspensions are of accounts that there are, and outlive the process.

use crate::common;

use common::{open, production};
use gatepost_directory::{Directory, DirectoryError, Grant, Refusal, Reserved};
use gatepost_volume::{Cap, Caps, Subject};

fn messages_an_hour(most: u64) -> Caps {
    Caps {
        messages_an_hour: Some(Cap::AtMost(most)),
        ..Caps::default()
    }
}

fn is_unknown<T: std::fmt::Debug>(refused: Result<T, DirectoryError>, what: &str) -> bool {
    matches!(
        refused.unwrap_err(),
        DirectoryError::Refused(Refusal::Unknown { what: named, .. }) if named == what
    )
}

fn acme(directory: &Directory) -> String {
    directory.view().accounts().next().unwrap().id.to_string()
}

#[test]
fn a_suspension_outlives_the_process_and_keeps_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    production(&directory, "acme.desk.example");
    let acme = acme(&directory);
    let since = directory.suspend(&acme, "stolen".parse().ok()).unwrap();
    let again = directory.suspend(&acme, None).unwrap();
    assert_eq!(again, since);
    drop(directory);
    let directory = open(folder.path());
    assert_eq!(directory.view().suspension(&acme), since.suspended.as_ref());
    directory.resume(&acme).unwrap();
    assert_eq!(directory.view().restriction(&acme), None);
    drop(directory);
    assert_eq!(open(folder.path()).view().restriction(&acme), None);
}

#[test]
fn an_account_of_the_configuration_is_restricted_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    assert!(is_unknown(directory.suspend("acme", None), "account"));
    let owned = ("desk.example".parse().unwrap(), "acme".to_owned());
    directory.set_reserved_domains(Reserved::from([owned]));
    directory.suspend("acme", None).unwrap();
    let user = Subject::Credential("application".to_owned());
    directory
        .set_caps("acme", &user, messages_an_hour(3))
        .unwrap();
    let view = directory.view();
    let restriction = view.restriction("acme").unwrap();
    assert_eq!(restriction.caps.of(&user), messages_an_hour(3));
    assert!(restriction.suspended.is_some());
}

#[test]
fn caps_go_with_their_credential_and_their_account() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let account = production(&directory, "acme.desk.example").id;
    let other = production(&directory, "other.desk.example").id;
    let issued = directory
        .issue(Grant::Submission { account }, false)
        .unwrap();
    let user = issued.credential.user_name;
    let credential = Subject::Credential(user.as_str().to_owned());
    let foreign = directory.set_caps(&other.to_string(), &credential, messages_an_hour(1));
    assert!(is_unknown(foreign, "credential"));
    let acme = account.to_string();
    directory
        .set_caps(&acme, &credential, messages_an_hour(1))
        .unwrap();
    directory
        .set_caps(&acme, &Subject::Account, messages_an_hour(9))
        .unwrap();
    directory.remove_credential(&user).unwrap();
    let left = directory.view().restriction(&acme).unwrap().caps.clone();
    assert!(left.credentials.is_empty());
    assert_eq!(left.account, messages_an_hour(9));
    directory.remove_account(account).unwrap();
    assert_eq!(directory.view().restriction(&acme), None);
}
