//! Connections of customers: owned, encrypted, and found by the most specific sender.

use crate::common;

use std::fs;

use common::{PASSWORD, address, claim, connection, open, production, settings};
use gatepost_connections::{ConnectionName, ServerCredential};
use gatepost_directory::{AccountId, Directory, DirectoryError, OwnedConnection, Refusal};

fn name(text: &str) -> ConnectionName {
    text.parse().unwrap()
}

fn set(
    directory: &Directory,
    account: AccountId,
    named: &str,
    serves: &[&str],
) -> Result<OwnedConnection, DirectoryError> {
    let made =
        directory.set_connection(account, &name(named), |_| connection(&name(named), serves));
    made.map(Result::unwrap)
}

fn refusal(refused: Result<OwnedConnection, DirectoryError>) -> Refusal {
    match refused {
        Err(DirectoryError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_most_specific_connection_serves_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    directory
        .add_connector(claim(acme, "acme.example"))
        .unwrap();
    let branded = address("sales@acme.example");
    (directory.add_address_of_brand(acme, branded, "Acme".parse().ok())).unwrap();
    set(&directory, acme, "domain", &["@acme.example"]).unwrap();
    set(&directory, acme, "brand", &["brand Acme"]).unwrap();
    set(&directory, acme, "address", &["boss@acme.example"]).unwrap();
    let view = directory.view();
    for (sender, expected) in [
        ("boss@acme.example", Some("address")),
        ("Boss@ACME.example", Some("address")),
        ("sales@acme.example", Some("brand")),
        ("sales+ticket@acme.example", Some("brand")),
        ("help@acme.example", Some("domain")),
        ("help@sub.acme.example", None),
        ("help@acme.desk.example", None),
    ] {
        let found = view.connection_of(acme, &address(sender));
        let found = found.map(|(_, owned)| owned.connection.name.as_str());
        assert_eq!(found, expected, "{sender}");
    }
    let other = production(&directory, "other.desk.example").id;
    let found = directory.view();
    assert!(
        found
            .connection_of(other, &address("boss@acme.example"))
            .is_none()
    );
}

#[test]
fn a_connection_serves_only_senders_of_its_account_and_each_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    directory
        .add_connector(claim(acme, "acme.example"))
        .unwrap();
    for foreign in [
        "@other.example",
        "a@other.example",
        "brand Other",
        "@acme.desk.example",
        "help@acme.desk.example",
    ] {
        let refused = refusal(set(&directory, acme, "out", &[foreign]));
        assert!(
            matches!(refused, Refusal::ForeignSender { .. }),
            "{foreign}: {refused}"
        );
    }
    set(
        &directory,
        acme,
        "out",
        &["@acme.example", "boss@acme.example"],
    )
    .unwrap();
    let refused = refusal(set(&directory, acme, "more", &["Boss@acme.example"]));
    assert!(matches!(refused, Refusal::ServedTwice { .. }), "{refused}");
    // Itself it may serve them again.
    set(&directory, acme, "out", &["boss@acme.example"]).unwrap();
}

#[test]
fn each_change_makes_a_new_generation_and_keeps_the_time_of_creation() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let mut before = set(&directory, acme, "out", &[]).unwrap();
    for _ in 0..3 {
        let after = set(&directory, acme, "out", &[]).unwrap();
        assert!(after.generation > before.generation);
        assert_eq!(after.created, before.created);
        before = after;
    }
    directory.remove_connection(acme, &name("out")).unwrap();
    assert!(directory.view().connection(acme, "out").is_none());
    let anew = set(&directory, acme, "out", &[]).unwrap();
    assert!(anew.generation >= before.generation);
}

#[test]
fn an_account_may_have_so_many_and_keeps_what_it_owns() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let connector = directory
        .add_connector(claim(acme, "acme.example"))
        .unwrap();
    for number in 0..20 {
        set(&directory, acme, &format!("out-{number}"), &[]).unwrap();
    }
    let refused = refusal(set(&directory, acme, "another", &[]));
    assert!(
        matches!(refused, Refusal::TooManyConnections { limit: 20, .. }),
        "{refused}"
    );
    set(&directory, acme, "out-0", &["@acme.example"]).unwrap();

    let error = directory
        .remove_connector(connector.id)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a connection that serves its domain"),
        "{error}"
    );
    for number in 0..20 {
        (directory.remove_connection(acme, &name(&format!("out-{number}")))).unwrap();
    }
    directory.remove_connector(connector.id).unwrap();
    set(&directory, acme, "last", &[]).unwrap();
    let error = directory.remove_account(acme).unwrap_err().to_string();
    assert!(error.contains("still has connections"), "{error}");
    let unknown = directory
        .remove_connection(acme, &name("gone"))
        .unwrap_err();
    assert!(
        unknown.to_string().contains("there is no connection gone"),
        "{unknown}"
    );
}

#[test]
fn the_file_holds_no_secret_and_the_key_ring_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    set(&directory, acme, "out", &[]).unwrap();
    assert_eq!(directory.rekey().unwrap(), 1);
    assert!(!format!("{:?}", directory.view()).contains(PASSWORD));
    drop(directory);
    for file in ["directory.db", "directory.db-wal"] {
        let bytes = fs::read(folder.path().join(file)).unwrap_or_default();
        let holds = |text: &str| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        assert!(!holds(PASSWORD) && !holds("office365"), "{file}");
    }
    let directory = open(folder.path());
    let view = directory.view();
    let owned = view.connection(acme, "out").unwrap();
    let ServerCredential::Password { password, .. } = &owned.connection.credential else {
        panic!("{owned:?}");
    };
    assert_eq!(password.reveal(), PASSWORD);
    drop(directory);
    fs::remove_file(folder.path().join("key-ring")).unwrap();
    assert!(Directory::open(&settings(folder.path())).is_err());
}

#[test]
fn a_sealed_connection_opens_in_no_other_place() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    set(&directory, acme, "out", &[]).unwrap();
    drop(directory);
    let database = rusqlite::Connection::open(folder.path().join("directory.db")).unwrap();
    database
        .execute("UPDATE connections SET name = 'other'", [])
        .unwrap();
    drop(database);
    let error = Directory::open(&settings(folder.path()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("damaged"), "{error}");
}
