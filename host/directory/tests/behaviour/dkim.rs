//! Keys of DKIM: their states, the turn of their selectors, and what becomes of their private
//! halves.

use crate::common;

use std::fs;

use common::{open, production, settings, verified};
use gatepost_directory::{Directory, DirectoryError, DkimKey, DkimState, KeyOwner, Refusal, View};
use gatepost_dkim::{Algorithm, Seen, Selector};
use gatepost_message::{Domain, Millis};

const NOW: Millis = Millis(1_800_000_000_000);

fn domain() -> Domain {
    "customer.example".parse().unwrap()
}

fn add_at(directory: &Directory, owner: KeyOwner, at: Millis) -> Result<DkimKey, DirectoryError> {
    let turns = Selector::turns(&"desk".parse().unwrap(), Algorithm::Ed25519);
    directory.add_dkim_key((owner, &domain()), Algorithm::Ed25519, &turns, at)
}

fn refusal(error: DirectoryError) -> Refusal {
    match error {
        DirectoryError::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

/// Selectors of the keys that sign.
fn signing(directory: &Directory, owner: KeyOwner) -> Vec<String> {
    let signers = directory.view().signers(owner, "customer.example");
    let selectors = signers.iter().map(|signer| signer.selector.to_string());
    selectors.collect()
}

#[test]
fn a_key_signs_only_while_its_record_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    verified(&directory, acme, "customer.example");
    let owner = KeyOwner::Account(acme);
    let key = add_at(&directory, owner, NOW).unwrap();
    assert_eq!(key.state, DkimState::Pending);
    assert!(signing(&directory, owner).is_empty());
    let looked = |seen: &Seen| directory.dkim_looked(&key.name(), seen, NOW).unwrap();

    let absent = Seen::Unusable("there is no record");
    let unanswered = Seen::Unanswered("no reply".to_owned());
    for (seen, state, signs) in [
        (&absent, DkimState::Pending, false),
        (&unanswered, DkimState::Pending, false),
        (&Seen::Published, DkimState::Active, true),
        // No answer is no evidence.
        (&unanswered, DkimState::Active, true),
        (&absent, DkimState::Lost, false),
        (&unanswered, DkimState::Lost, false),
        (&Seen::Published, DkimState::Active, true),
    ] {
        let now = looked(seen);
        assert_eq!(now.state, state, "{seen:?}");
        assert_eq!(now.finding.is_none(), *seen == Seen::Published);
        assert_eq!(!signing(&directory, owner).is_empty(), signs, "{seen:?}");
    }
    // The state survives, and with it the private half.
    drop(directory);
    let directory = open(folder.path());
    assert_eq!(signing(&directory, owner), ["desk-ed25519-1"]);
}

#[test]
fn the_next_key_takes_over_in_the_commit_in_which_it_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let owner = KeyOwner::Site;
    let first = add_at(&directory, owner, NOW).unwrap();
    let waits = refusal(add_at(&directory, owner, NOW).unwrap_err());
    assert!(matches!(waits, Refusal::DkimKeyWaits { .. }), "{waits}");
    let seen = |key: &DkimKey, at| directory.dkim_looked(&key.name(), &Seen::Published, at);
    seen(&first, NOW).unwrap();

    let later = Millis(NOW.0 + 1);
    let second = add_at(&directory, owner, later).unwrap();
    assert_eq!(second.selector.as_str(), "desk-ed25519-2");
    assert_eq!(signing(&directory, owner), ["desk-ed25519-1"]);
    seen(&second, later).unwrap();
    assert_eq!(signing(&directory, owner), ["desk-ed25519-2"]);
    let states = |view: &View| -> Vec<_> { view.dkim_keys(owner).map(|key| key.state).collect() };
    assert_eq!(
        states(&directory.view()),
        [DkimState::Retired, DkimState::Active]
    );
    // The record of a retired key changes nothing.
    let still = seen(&first, later).unwrap();
    assert_eq!(still.state, DkimState::Retired);

    // Its selector rests until no mail is on its way that was signed with it.
    let taken = refusal(add_at(&directory, owner, later).unwrap_err());
    assert!(
        matches!(taken, Refusal::DkimSelectorsTaken { .. }),
        "{taken}"
    );
    let rested = later + DkimKey::REST;
    let third = add_at(&directory, owner, rested).unwrap();
    assert_eq!(third.selector.as_str(), "desk-ed25519-1");
    assert_eq!(
        states(&directory.view()),
        [DkimState::Pending, DkimState::Active]
    );
}

#[test]
fn the_private_half_is_encrypted_and_goes_with_retirement() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let key = add_at(&directory, KeyOwner::Site, NOW).unwrap();
    let published = |directory: &Directory| {
        directory
            .dkim_looked(&key.name(), &Seen::Published, NOW)
            .unwrap();
        let signers = directory.view().signers(KeyOwner::Site, "customer.example");
        signers.first().map(|signer| signer.key.as_pkcs8().to_vec())
    };
    let private = published(&directory).unwrap();
    // A new key of the ring encrypts it again, and it is the same.
    directory.rekey().unwrap();
    drop(directory);
    let directory = open(folder.path());
    assert_eq!(published(&directory).unwrap(), private);
    let seed = &private[16..48];
    let holds_it = || {
        let files = fs::read_dir(folder.path()).unwrap();
        let mut contents = files.map(|file| fs::read(file.unwrap().path()).unwrap());
        contents.any(|bytes| bytes.windows(seed.len()).any(|part| part == seed))
    };
    assert!(!holds_it());
    let view = format!("{:?}", directory.view());
    assert!(view.contains("PrivateKey(ed25519)"), "{view}");

    directory.retire_dkim_key(&key.name(), NOW).unwrap();
    assert!(published(&directory).is_none());
    drop(directory);
    let database = rusqlite::Connection::open(settings(folder.path()).path).unwrap();
    let stored: (Option<Vec<u8>>, String) = database
        .query_row("SELECT sealed, state FROM dkim_keys", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(stored, (None, "retired".to_owned()));
    let directory = open(folder.path());
    directory.remove_rested_dkim_keys(NOW).unwrap();
    assert_eq!(directory.view().all_dkim_keys().count(), 1);
    directory
        .remove_rested_dkim_keys(NOW + DkimKey::REST)
        .unwrap();
    assert_eq!(directory.view().all_dkim_keys().count(), 0);
}

#[test]
fn keys_are_made_for_domains_of_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let owner = KeyOwner::Account(acme);
    let foreign = refusal(add_at(&directory, owner, NOW).unwrap_err());
    assert!(
        matches!(foreign, Refusal::ForeignDomain { .. }),
        "{foreign}"
    );
    let connector = verified(&directory, acme, "customer.example");
    let taken = refusal(add_at(&directory, KeyOwner::Site, NOW).unwrap_err());
    assert!(matches!(taken, Refusal::DomainTaken { .. }), "{taken}");

    let key = add_at(&directory, owner, NOW).unwrap();
    let full = refusal(directory.remove_connector(connector.id).unwrap_err());
    assert!(full.to_string().contains("DKIM keys"), "{full}");
    let full = refusal(directory.remove_account(acme).unwrap_err());
    assert!(matches!(full, Refusal::NotEmpty { .. }), "{full}");
    // A key that never signed is forgotten, not retired.
    directory.retire_dkim_key(&key.name(), NOW).unwrap();
    assert_eq!(directory.view().all_dkim_keys().count(), 0);
    let key = add_at(&directory, owner, NOW).unwrap();
    directory
        .dkim_looked(&key.name(), &Seen::Published, NOW)
        .unwrap();
    directory.retire_dkim_key(&key.name(), NOW).unwrap();
    directory.remove_connector(connector.id).unwrap();
    directory.remove_account(acme).unwrap();
    drop(directory);
    assert_eq!(open(folder.path()).view().all_dkim_keys().count(), 0);
    let none = refusal(
        open(folder.path())
            .retire_dkim_key(&key.name(), NOW)
            .unwrap_err(),
    );
    assert!(matches!(none, Refusal::NoDkimKey { .. }), "{none}");
}
