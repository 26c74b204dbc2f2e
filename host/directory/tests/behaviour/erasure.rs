//! Erasure of an account: it takes no more changes, all that it owns goes, and others keep theirs.

use crate::common;

use common::{address, open, production, verified};
use gatepost_directory::{
    AccountId, AuditEntry, AuditQuery, Directory, DirectoryError, ERASED_BY, EndpointScope,
    EndpointSettings, ErasedItems, Grant, Refusal,
};
use gatepost_message::{Millis, SoughtAddress};

/// Adds an account with a connected domain, an address, a credential, an endpoint and an
/// administrator.
fn furnished(directory: &Directory, name: &str) -> AccountId {
    let id = production(directory, &format!("{name}.desk.example")).id;
    let connector = verified(directory, id, &format!("{name}.example"));
    let help = address(&format!("help@{name}.example"));
    directory.add_address(id, help.clone()).unwrap();
    let grant = Grant::Inbound {
        connector: connector.id,
    };
    directory.issue(grant, false).unwrap();
    let name = "tickets".parse().unwrap();
    let made = directory.set_endpoint(id, &name, |_| {
        Ok::<_, ()>((EndpointScope::Account, EndpointSettings::default()))
    });
    made.unwrap().unwrap();
    let added = directory.add_administrator(id, help, None, "en".to_owned());
    added.unwrap();
    id
}

fn erase(directory: &Directory, id: AccountId) -> ErasedItems {
    let mut erased = ErasedItems::default();
    directory.begin_erasure(id).unwrap();
    directory.erase_audit(id).unwrap();
    while let Some(some) = directory.erase_some(id).unwrap() {
        erased.add(some);
    }
    directory.finish_erasure(id).unwrap();
    directory.overwrite_erased().unwrap();
    erased
}

/// Returns true if a file of the folder has this text.
fn is_stored(folder: &std::path::Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder).unwrap();
    files.into_iter().any(|file| {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        content.windows(text.len()).any(|at| at == text.as_bytes())
    })
}

#[test]
fn nothing_of_an_erased_account_is_in_the_directory() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let (gone, stays) = (
        furnished(&directory, "nimbus"),
        furnished(&directory, "quartz"),
    );
    assert!(is_stored(folder.path(), "nimbus"));
    let erased = erase(&directory, gone);
    let expected = ErasedItems {
        connectors: 1,
        addresses: 1,
        credentials: 1,
        endpoints: 1,
        administrators: 1,
        ..ErasedItems::default()
    };
    assert_eq!(erased, expected);
    assert!(directory.view().account(gone).is_none());
    assert!(!is_stored(folder.path(), "nimbus"));
    let view = directory.view();
    assert!(view.account(stays).is_some());
    assert_eq!(view.administrators(stays).len(), 1);
    drop(directory);
    let directory = open(folder.path());
    assert!(directory.view().account(gone).is_none());
    assert!(directory.view().account(stays).is_some());
    assert!(is_stored(folder.path(), "help@quartz.example"));
}

#[test]
fn an_account_that_is_being_erased_takes_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let id = furnished(&directory, "nimbus");
    directory.begin_erasure(id).unwrap();
    let help = address("other@nimbus.example");
    let added = directory.add_address(id, help);
    assert!(
        matches!(
            added.as_ref().unwrap_err(),
            DirectoryError::Refused(Refusal::BeingErased(of)) if *of == id
        ),
        "{added:?}"
    );
    drop(directory);
    // Interrupted, it is repeated.
    let directory = open(folder.path());
    erase(&directory, id);
    assert!(directory.view().account(id).is_none());
}

#[test]
fn the_audit_log_keeps_that_the_account_was_erased() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let (gone, stays) = (
        furnished(&directory, "nimbus"),
        furnished(&directory, "quartz"),
    );
    let record = |action: &str, account: Option<AccountId>, subject: &str| {
        let entry = AuditEntry {
            at: Millis::now(),
            account: account.map(|id| id.to_string()),
            actor: "root".to_owned(),
            origin: None,
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail: None,
        };
        directory.record_audit(entry).unwrap();
    };
    record("address-add", Some(gone), "help@nimbus.example");
    record("domain-show", None, "nimbus.example");
    record("domain-show", None, "nimbus.example.org");
    record("address-add", Some(stays), "help@quartz.example");
    record(ERASED_BY, Some(gone), &gone.to_string());
    erase(&directory, gone);
    let query = AuditQuery {
        limit: 10,
        ..AuditQuery::default()
    };
    let kept = directory.audit(&query).unwrap();
    let kept: Vec<_> = (kept.iter().rev())
        .map(|record| record.entry.subject.as_str())
        .collect();
    let erased = gone.to_string();
    assert_eq!(kept, ["nimbus.example.org", "help@quartz.example", &erased]);
}

#[test]
fn an_erased_correspondent_is_named_by_no_entry_of_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let (one, other) = (
        production(&directory, "one.desk.example").id,
        production(&directory, "other.desk.example").id,
    );
    for account in [one, other] {
        for subject in ["Ann+x@nimbus.example", "bob@quartz.example"] {
            let entry = AuditEntry {
                at: Millis(1_700_000_000_000),
                account: Some(account.to_string()),
                actor: "root".to_owned(),
                origin: None,
                action: "suppression-add".to_owned(),
                subject: subject.to_owned(),
                detail: Some(format!("reason {subject} asked")),
            };
            directory.record_audit(entry).unwrap();
        }
    }
    let ann = SoughtAddress::new(&address("ann@nimbus.example"));
    let subjects = |account: AccountId| {
        let query = AuditQuery {
            account: Some(account.to_string()),
            before: None,
            limit: 100,
        };
        let records = directory.audit(&query).unwrap().into_iter();
        let told = records.map(|record| record.entry);
        let told = told.filter(|entry| entry.action == "suppression-add");
        told.map(|entry| (entry.subject, entry.detail.unwrap()))
            .collect::<Vec<_>>()
    };
    let before = subjects(other);
    let named = directory.erase_from_audit(Some(&one.to_string()), &ann);
    assert_eq!(named.unwrap(), 1);
    let told = |subject: &str| (subject.to_owned(), format!("reason {subject} asked"));
    let left = [told("bob@quartz.example"), told("erased@erased.invalid")];
    assert_eq!(subjects(one), left);
    assert_eq!(subjects(other), before);
    assert!(is_stored(folder.path(), "nimbus"));
    assert_eq!(directory.erase_from_audit(None, &ann).unwrap(), 1);
    directory.overwrite_erased().unwrap();
    assert_eq!(subjects(other), left);
    assert!(!is_stored(folder.path(), "nimbus"));
    assert_eq!(directory.erase_from_audit(None, &ann).unwrap(), 0);
}
