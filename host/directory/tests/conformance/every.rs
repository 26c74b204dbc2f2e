//! Facts that every store has to pass.

use gatepost_directory::{
    Account, AuditQuery, Canonical, Connector, ConnectorState, DirectoryChange, DirectoryError,
    DirectoryRow, DirectoryStore, KeptRequest, PartnerSource, RowKey, Rows, Sealed, SupportAddress,
};
use gatepost_message::{Millis, SoughtAddress};

use crate::{
    Subject, contents,
    rows::{
        account, add_entries, address, agreement, all, audited, connection, connector,
        connector_id, credential, dkim_keys, endpoint, entry, id, list, put_account,
        put_connection, put_connector, put_credential, put_endpoint, put_list, put_restriction,
        restriction,
    },
};

pub fn a_new_store_is_empty(subject: &impl Subject) {
    assert_eq!(subject.open().rows().unwrap(), Rows::default());
}

pub fn every_kind_of_row_is_loaded_as_it_was_put(subject: &impl Subject) {
    let mut changes = [all(1), all(2)].concat();
    changes.push(DirectoryChange::Put(DirectoryRow::Agreement(agreement(
        1, 2,
    ))));
    let mut store = subject.open();
    store.write(&changes).unwrap();
    let mut expected: Vec<_> = (changes.into_iter())
        .filter_map(|change| match change {
            DirectoryChange::Put(row) => Some(row),
            _ => None,
        })
        .collect();
    expected.sort_by_key(DirectoryRow::key);
    assert_eq!(contents(&*store).0, expected);
}

pub fn a_row_that_is_put_again_is_replaced(subject: &impl Subject) {
    let mut store = subject.open();
    store.write(&all(1)).unwrap();
    let mut changed_account = account(1);
    changed_account.policies.clear();
    changed_account.profile.brands.truncate(1);
    let changed_connector = Connector {
        state: ConnectorState::Disconnected,
        forwarders: Default::default(),
        ..connector(1)
    };
    let mut changed_credential = credential(1);
    changed_credential.credential.last_used = None;
    changed_credential.verifier.bytes = vec![7];
    let mut changed_list = list(
        6,
        1,
        PartnerSource::Feed("https://lists.example/".to_owned()),
    );
    changed_list.feed.as_mut().unwrap().problem = None;
    let changes = [
        put_account(changed_account),
        put_connector(changed_connector),
        put_credential(changed_credential),
        put_list(changed_list),
    ];
    let mut changed_connection = connection(1);
    changed_connection.generation += 1;
    changed_connection.sealed.bytes.push(9);
    let mut changed_endpoint = endpoint(1);
    changed_endpoint.changed = Millis(14_002);
    changed_endpoint.generation += 1;
    changed_endpoint.sealed.bytes.push(9);
    let mut changed_restriction = restriction(1);
    changed_restriction.suspended = None;
    changed_restriction.caps = Default::default();
    let changes = changes
        .into_iter()
        .chain([
            put_connection(changed_connection),
            put_endpoint(changed_endpoint),
            put_restriction(changed_restriction),
        ])
        .collect::<Vec<_>>();
    let before = contents(&*store);
    store.write(&changes).unwrap();
    let after = contents(&*store);
    assert_eq!(after.0.len(), before.0.len());
    for change in changes {
        let DirectoryChange::Put(row) = change else {
            unreachable!("only rows are put");
        };
        assert!(after.0.contains(&row), "{row:?}");
    }
    assert_eq!(after.1, before.1, "entries are no part of a row");
}

pub fn a_removed_row_is_gone_and_removing_nothing_is_no_error(subject: &impl Subject) {
    let mut store = subject.open();
    store.write(&[all(1), all(2)].concat()).unwrap();
    store
        .write(&[DirectoryChange::Put(DirectoryRow::Agreement(agreement(
            1, 2,
        )))])
        .unwrap();
    let mut left = contents(&*store).0;
    // Those that refer to others go before them.
    while let Some(row) = left.pop() {
        for _ in 0..2 {
            store.write(&[DirectoryChange::Remove(row.key())]).unwrap();
            assert_eq!(contents(&*store).0, left);
        }
    }
}

pub fn rows_come_after_those_that_they_refer_to(subject: &impl Subject) {
    let mut store = subject.open();
    // An older account with a greater id, and the reverse.
    let older = Account {
        created: Millis(1),
        ..account(9)
    };
    store.write(&all(1)).unwrap();
    store.write(&[put_account(older)]).unwrap();
    store
        .write(&[DirectoryChange::Put(DirectoryRow::Agreement(agreement(
            1, 9,
        )))])
        .unwrap();
    let keys: Vec<_> = store
        .rows()
        .unwrap()
        .rows
        .iter()
        .map(DirectoryRow::key)
        .collect();
    let place = |key: RowKey| keys.iter().position(|other| *other == key).unwrap();
    let accounts = place(RowKey::Account(id(1))).max(place(RowKey::Account(id(9))));
    let of_connector = place(RowKey::Connector(connector_id(1)));
    assert!(accounts < of_connector);
    assert!(of_connector < place(DirectoryRow::Address(Box::new(address(1))).key()));
    assert!(of_connector < place(RowKey::Credential(credential(1).credential.user_name)));
    assert!(accounts < place(DirectoryRow::Agreement(agreement(1, 9)).key()));
    assert!(accounts < place(RowKey::List(4)));
    assert!(accounts < place(DirectoryRow::Connection(connection(1).into()).key()));
    assert!(accounts < place(DirectoryRow::Endpoint(endpoint(1).into()).key()));
    assert!(accounts < place(dkim_keys(1)[0].key()));
}

pub fn the_audit_log_is_read_from_its_end_by_account_and_page(subject: &impl Subject) {
    let mut store = subject.open();
    let entries = [audited(1, Some(1)), audited(2, None), audited(3, Some(1))];
    store.write(&entries).unwrap();
    let times = |store: &dyn DirectoryStore, account: Option<u32>, before, limit| {
        let query = AuditQuery {
            account: account.map(|number| id(number).to_string()),
            before,
            limit,
        };
        let records = store.audit(&query).unwrap();
        let times: Vec<_> = records.iter().map(|record| record.entry.at.0).collect();
        (times, records.last().map(|record| record.seq))
    };
    assert_eq!(times(&*store, None, None, 9).0, [3, 2, 1]);
    assert_eq!(times(&*store, Some(1), None, 9).0, [3, 1]);
    let (newest, last) = times(&*store, None, None, 2);
    assert_eq!(newest, [3, 2]);
    assert_eq!(times(&*store, None, last, 2).0, [1]);
    store
        .write(&[DirectoryChange::ForgetAudit(Millis(3))])
        .unwrap();
    assert_eq!(times(&*store, None, None, 9).0, [3]);
}

pub fn an_address_is_erased_from_the_audit_log(subject: &impl Subject) {
    let mut store = subject.open();
    let entries = [audited(1, Some(1)), audited(2, None), audited(3, Some(1))];
    store.write(&entries).unwrap();
    let erase = |account: Option<u32>| DirectoryChange::EraseFromAudit {
        account: account.map(|number| id(number).to_string()),
        address: SoughtAddress::new(&"Help@A.example".parse().unwrap()),
    };
    let subjects = |store: &dyn DirectoryStore| {
        let query = AuditQuery {
            account: None,
            before: None,
            limit: 9,
        };
        let records = store.audit(&query).unwrap().into_iter();
        records
            .map(|record| record.entry.subject)
            .collect::<Vec<_>>()
    };
    let (named, erased) = ("help@a.example", "erased@erased.invalid");
    store.write(&[erase(Some(1))]).unwrap();
    assert_eq!(subjects(&*store), [erased, named, erased]);
    store.write(&[erase(None)]).unwrap();
    assert_eq!(subjects(&*store), [erased; 3]);
}

pub fn an_address_may_be_claimed_by_two_accounts(subject: &impl Subject) {
    let mut store = subject.open();
    let theirs = SupportAddress {
        address: "help@a1.example".parse().unwrap(),
        ..address(2)
    };
    store.write(&[all(1), all(2)].concat()).unwrap();
    let put = DirectoryChange::Put(DirectoryRow::Address(Box::new(theirs.clone())));
    store.write(&[put]).unwrap();
    let rows = contents(&*store).0;
    assert!(rows.contains(&DirectoryRow::Address(Box::new(address(1)))));
    assert!(rows.contains(&DirectoryRow::Address(Box::new(theirs.clone()))));
    let key = RowKey::Address {
        canonical: Canonical::of(&theirs.address).unwrap(),
        account: id(2),
    };
    store.write(&[DirectoryChange::Remove(key)]).unwrap();
    let rows = contents(&*store).0;
    assert!(rows.contains(&DirectoryRow::Address(Box::new(address(1)))));
    assert!(!rows.contains(&DirectoryRow::Address(Box::new(theirs))));
}

pub fn changes_are_made_in_their_order(subject: &impl Subject) {
    let mut store = subject.open();
    let by_hand = || put_list(list(1, 1, PartnerSource::ByHand));
    let changes = [
        put_account(account(1)),
        by_hand(),
        add_entries(1, &["ann@partner.example"]),
        DirectoryChange::Remove(RowKey::List(1)),
        by_hand(),
        add_entries(1, &["ben@partner.example", "cleo@partner.example"]),
        DirectoryChange::RemoveEntries {
            list: 1,
            entries: vec![entry("ben@partner.example")],
        },
    ];
    store.write(&changes).unwrap();
    let entries = vec![(1, vec!["cleo@partner.example".to_owned()])];
    assert_eq!(contents(&*store).1, entries);
}

pub fn entries_come_in_pages_in_the_order_of_their_texts(subject: &impl Subject) {
    let mut store = subject.open();
    let texts = [
        "@a.example",
        "a@b.example",
        "ab@a.example",
        "z@a.example",
        "ä@a.example",
    ];
    let mut mixed = texts;
    mixed.rotate_left(2);
    store
        .write(&[
            put_account(account(1)),
            put_list(list(1, 1, PartnerSource::ByHand)),
            put_list(list(2, 1, PartnerSource::Import("crm".to_owned()))),
            add_entries(1, &mixed),
            add_entries(2, &["aa@a.example"]),
        ])
        .unwrap();
    for size in 1..=texts.len() + 1 {
        let (mut after, mut found) = (String::new(), Vec::new());
        loop {
            let page = store.entries(1, &after, size).unwrap();
            assert!(page.len() <= size);
            match page.last() {
                Some(last) => after = last.to_string(),
                None => break,
            }
            found.extend(page.iter().map(ToString::to_string));
        }
        assert_eq!(found, texts, "pages of {size}");
    }
    assert!(store.entries(3, "", 10).unwrap().is_empty());
}

pub fn an_entry_that_is_added_twice_is_there_once(subject: &impl Subject) {
    let mut store = subject.open();
    let ann = "ann@partner.example";
    store.write(&all(1)).unwrap();
    store
        .write(&[add_entries(4, &[ann, "@new.example", ann])])
        .unwrap();
    let texts: Vec<_> = (store.entries(4, "", 10).unwrap().iter())
        .map(ToString::to_string)
        .collect();
    assert_eq!(texts, ["@new.example", "@whole.example", ann]);
}

pub fn removed_entries_are_gone_and_others_stay(subject: &impl Subject) {
    let mut store = subject.open();
    store.write(&all(1)).unwrap();
    let (ann, whole) = (entry("ann@partner.example"), entry("@whole.example"));
    assert!(store.contains(4, &ann).unwrap() && store.contains(4, &whole).unwrap());
    assert!(!store.contains(5, &ann).unwrap() && !store.contains(9, &ann).unwrap());
    let entries = vec![ann.clone(), entry("nobody@partner.example")];
    store
        .write(&[DirectoryChange::RemoveEntries { list: 4, entries }])
        .unwrap();
    assert!(!store.contains(4, &ann).unwrap());
    assert_eq!(store.entries(4, "", 10).unwrap(), [whole]);
}

pub fn a_list_goes_with_its_entries_and_keeps_them_when_it_is_changed(subject: &impl Subject) {
    let mut store = subject.open();
    store.write(&all(1)).unwrap();
    let ann = entry("ann@partner.example");
    let by_hand = || put_list(list(4, 1, PartnerSource::ByHand));
    store.write(&[by_hand()]).unwrap();
    assert!(store.contains(4, &ann).unwrap());
    store
        .write(&[DirectoryChange::Remove(RowKey::List(4))])
        .unwrap();
    assert!(!store.contains(4, &ann).unwrap());
    store.write(&[by_hand()]).unwrap();
    assert!(!store.contains(4, &ann).unwrap());
}

pub fn the_greatest_id_of_a_list_is_remembered(subject: &impl Subject) {
    let mut store = subject.open();
    store.write(&all(1)).unwrap();
    assert_eq!(store.rows().unwrap().last_list, 6);
    let removed = [4, 5, 6].map(|list| DirectoryChange::Remove(RowKey::List(list)));
    store.write(&removed).unwrap();
    drop(store);
    assert_eq!(subject.open().rows().unwrap().last_list, 6);
}

pub fn a_write_that_fails_leaves_nothing_of_it(subject: &impl Subject) {
    let mut store = subject.open();
    store.write(&all(1)).unwrap();
    let before = contents(&*store);
    // No store can keep a list of an agreement.
    let impossible = list(9, 2, PartnerSource::Agreement(id(1)));
    let changes = [
        all(2),
        vec![add_entries(4, &["new@partner.example"])],
        vec![put_list(impossible)],
    ];
    let failed = store.write(&changes.concat()).unwrap_err();
    assert!(matches!(failed, DirectoryError::Damaged(_)), "{failed}");
    assert_eq!(contents(&*store), before);
    drop(store);
    assert_eq!(contents(&*subject.open()), before);
}

pub fn all_that_was_written_is_there_after_each_reopening(subject: &impl Subject) {
    for number in 1..4 {
        let mut store = subject.open();
        store.write(&all(number)).unwrap();
        let written = contents(&*store);
        drop(store);
        assert_eq!(contents(&*subject.open()), written);
    }
}

pub fn a_request_is_kept_under_its_key_until_it_is_forgotten(subject: &impl Subject) {
    let mut store = subject.open();
    let kept = |token: &str, key: &str, at| KeptRequest {
        token: token.to_owned(),
        key: key.to_owned(),
        at: Millis(at),
        digest: "digest".to_owned(),
        answer: None,
    };
    let answered = KeptRequest {
        answer: Some(Sealed {
            key_id: "key".to_owned(),
            bytes: vec![0, 1, 255],
        }),
        ..kept("one", "a", 5)
    };
    let keep = |kept: &KeptRequest| DirectoryChange::KeepRequest(Box::new(kept.clone()));
    let (first, second, other) = (
        kept("one", "a", 5),
        kept("one", "b", 6),
        kept("two", "a", 7),
    );
    store
        .write(&[keep(&first), keep(&second), keep(&other)])
        .unwrap();
    store.write(&[keep(&answered)]).unwrap();
    assert_eq!(store.kept_request("one", "a").unwrap(), Some(answered));
    assert_eq!(store.kept_request("one", "b").unwrap(), Some(second));
    assert_eq!(store.kept_request("one", "c").unwrap(), None);
    assert_eq!(store.kept_requests_since("one", Millis(4)).unwrap(), 2);
    assert_eq!(store.kept_requests_since("one", Millis(5)).unwrap(), 1);
    let forget = DirectoryChange::ForgetRequest {
        token: "one".to_owned(),
        key: "b".to_owned(),
    };
    store
        .write(&[forget, DirectoryChange::ForgetRequests(Millis(7))])
        .unwrap();
    assert_eq!(store.kept_requests_since("one", Millis(0)).unwrap(), 0);
    assert_eq!(store.kept_request("two", "a").unwrap(), Some(other.clone()));
    let account = "account".to_owned();
    let names = Vec::new();
    let erase = DirectoryChange::EraseAudit { account, names };
    store.write(&[erase]).unwrap();
    // Its answer may have told of the account; it is not executed again.
    let unanswered = KeptRequest {
        answer: None,
        ..other
    };
    assert_eq!(store.kept_request("two", "a").unwrap(), Some(unanswered));
}
