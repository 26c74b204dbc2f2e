//! Directories of all earlier schemas open without loss.
//!
//! `stores/schema-N/rows.sql` holds the rows of a directory of schema N, `key-ring` beside it the
//! key that encrypts it, and `secret` the secret of a client. `GATEPOST_BUILD_STORE=1` writes them
//! for the current schema, once, before a step is added to it.

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{address, connection, open, production, settings, verified};
use gatepost_directory::{
    AddressDetails, ApiScope, AuditEntry, AuditQuery, ConnectorState, Directory, DirectoryChange,
    DirectoryError, DirectoryRow, DirectoryStore as _, EndedBy, EndpointSettings, Fetched,
    Forwarders, Grant, Handover, KeyOwner, KnownRequest, Partner, PartnerEntry, PartnerSource,
    PolicySettings, Probe, ProbeKind, QueuedMail, Reason, Recipient, Scope, SqliteStore,
    Verification,
};
use gatepost_dkim::{Algorithm, Seen, Selector, SelectorPrefix};
use gatepost_message::Millis;
use gatepost_volume::{Cap, Caps, Subject};
use rusqlite::Connection;

/// Schemas that were ever released.
const SCHEMAS: [&str; 10] = [
    "schema-1",
    "schema-2",
    "schema-3",
    "schema-4",
    "schema-5",
    "schema-6",
    "schema-7",
    "schema-8",
    "schema-9",
    "schema-10",
];

fn store(schema: &str) -> PathBuf {
    let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores");
    stores.join(schema)
}

fn source(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{name}.sql"));
    fs::read_to_string(file).unwrap()
}

/// Fills a directory with what every store holds, in the terms of the current version.
fn fill(directory: &Directory) {
    let acme = production(directory, "acme.desk.example").id;
    directory
        .add_address(acme, address("help@acme.desk.example"))
        .unwrap();
    let connector = verified(directory, acme, "acme.example").id;
    directory
        .add_address(acme, address("help@acme.example"))
        .unwrap();
    (directory.disconnect_connector(connector, QueuedMail::Hold)).unwrap();
    let inbound = directory.issue(Grant::Inbound { connector }, true).unwrap();
    let client = "192.0.2.7".parse().ok();
    directory.record_use(&inbound.credential.user_name, client, Millis(1_000));
    let submission = directory
        .issue(Grant::Submission { account: acme }, false)
        .unwrap();
    directory.cancel(&submission.credential.user_name).unwrap();
    directory.set_forwarders(connector, forwarders()).unwrap();
    let settings = Some(policy_settings());
    directory
        .set_policy(acme, "inbound-auth", settings)
        .unwrap();
    let other = production(directory, "other.desk.example").id;
    directory
        .add_address(other, address("support@other.desk.example"))
        .unwrap();
    directory.add_agreement(other, acme).unwrap();
    let entry = |text: &str| text.parse::<PartnerEntry>().unwrap();
    for by_hand in ["ann@partner.example", "@whole.example"] {
        directory.add_partner(acme, &entry(by_hand)).unwrap();
    }
    let import = directory.begin_import(acme).unwrap();
    let imported = [entry("ben@partner.example")];
    directory.add_to_import(import, &imported).unwrap();
    directory.finish_import(import, acme, "crm", false).unwrap();
    let every = Duration::from_secs(3600);
    let feed = directory.set_feed(acme, FEED, every, true).unwrap();
    let fetched = Fetched::Entries {
        entries: vec![entry("cleo@partner.example")],
        validator: Some("\"1\"".to_owned()),
    };
    directory
        .feed_tried(feed.id, fetched, Millis(1_000))
        .unwrap();
    let failed = Fetched::Failed("it is down".to_owned());
    directory
        .feed_tried(feed.id, failed, Millis(2_000))
        .unwrap();
    let brand = "Acme".parse().ok();
    let branded = address("brand@acme.desk.example");
    (directory.add_address_of_brand(acme, branded, brand)).unwrap();
    let name = "outlook".parse().unwrap();
    let made = directory.set_connection(acme, &name, |_| connection(&name, &["brand Acme"]));
    made.unwrap().unwrap();
    let name = "tickets".parse().unwrap();
    let made = directory.set_endpoint(acme, &name, |_| {
        Ok::<_, ()>(("brand Acme".parse().unwrap(), endpoint_settings()))
    });
    made.unwrap().unwrap();
    let caps = Caps {
        messages_an_hour: Some(Cap::AtMost(7)),
        ..Caps::default()
    };
    let (limited, suspended) = (acme.to_string(), other.to_string());
    directory
        .set_caps(&limited, &Subject::Account, caps)
        .unwrap();
    directory
        .suspend(&suspended, "stolen".parse().ok())
        .unwrap();
    let of_account = (KeyOwner::Account(acme), "acme.example");
    for (owner, domain) in [of_account, (KeyOwner::Site, "desk.example")] {
        let turns = Selector::turns(&SelectorPrefix::default(), Algorithm::Ed25519);
        let of = (owner, &domain.parse().unwrap());
        let key = directory.add_dkim_key(of, Algorithm::Ed25519, &turns, Millis(1_000));
        let name = key.unwrap().name();
        (directory.dkim_looked(&name, &Seen::Published, Millis(2_000))).unwrap();
    }
    let support = address("help@acme.example");
    let seen = |details: &mut AddressDetails| {
        details.inbound = Verification::Verified { at: Millis(3_000) };
    };
    directory.change_address(acme, &support, seen).unwrap();
    let probe = Probe {
        record: serde_json::Value::Null,
        id: PROBE.parse().unwrap(),
        account: acme,
        address: support,
        kind: ProbeKind::Outbound,
        sent: Millis(4_000),
        expires: Millis(5_000),
        transaction: None,
    };
    directory.begin_probe(probe, |_| ()).unwrap();
    let entry = AuditEntry {
        at: Millis(8_000),
        account: Some(acme.to_string()),
        actor: "root".to_owned(),
        origin: None,
        action: "connector-disconnected".to_owned(),
        subject: "acme.example".to_owned(),
        detail: None,
    };
    directory.record_audit(entry).unwrap();
    let name = "helpdesk".parse().unwrap();
    let added = directory.add_api_token(Some(acme), ApiScope::Operate, name, Millis(9_000), None);
    added.unwrap();
    (directory.begin_request("token", "key", "digest", Millis(10_000))).unwrap();
    (directory.record_answer("token", "key", "digest", Millis(10_000), b"answer")).unwrap();
    let newest = store(SCHEMAS[SCHEMAS.len() - 1]);
    fs::write(newest.join("secret"), inbound.secret.reveal()).unwrap();
}

/// Adds a link to the secret of a credential, as a directory never writes one of the past.
fn hand_over(folder: &Path) {
    let mut store = SqliteStore::open(&settings(folder).path).unwrap();
    let rows = store.rows().unwrap().rows.into_iter();
    let credentials = rows.filter_map(|row| match row {
        DirectoryRow::Credential(sealed) => Some(sealed.credential),
        _ => None,
    });
    let inbound = credentials
        .into_iter()
        .find(|of| of.scope.connector().is_some());
    let inbound = inbound.unwrap();
    let handover = Handover {
        id: "7".repeat(64),
        account: inbound.account,
        user_name: inbound.user_name,
        created: Millis(6_000),
        expires: Millis(7_000),
        sealed: vec![0, 0xff],
    };
    let row = DirectoryRow::Handover(Box::new(handover));
    store.write(&[DirectoryChange::Put(row)]).unwrap();
}

const PROBE: &str = "abcdefghijklmnopqrstuvwxyz";

const FEED: &str = "https://lists.example/partners";

/// Adds partners of the first account, from every kind of source.
fn partners(directory: &Directory) {
    let view = directory.view();
    let accounts: Vec<_> = view.accounts().map(|account| account.id).collect();
    let of = |text| view.partner(accounts[0], &address(text));
    let by = |by_domain, source| Some(Partner { by_domain, source });
    let agreement = PartnerSource::Agreement(accounts[1]);
    assert_eq!(of("support@other.desk.example"), by(false, agreement));
    assert_eq!(of("ann@partner.example"), by(false, PartnerSource::ByHand));
    assert_eq!(of("any@whole.example"), by(true, PartnerSource::ByHand));
    let import = PartnerSource::Import("crm".to_owned());
    assert_eq!(of("ben@partner.example"), by(false, import));
    let feed = PartnerSource::Feed(FEED.to_owned());
    assert_eq!(of("cleo@partner.example"), by(false, feed));
    let list = view.partner_lists().find(|list| list.feed.is_some());
    let feed = list.unwrap().feed.clone().unwrap();
    assert_eq!(feed.every_seconds, 3600);
    assert_eq!(feed.validator.as_deref(), Some("\"1\""));
    assert_eq!(feed.problem.as_deref(), Some("it is down"));
    assert_eq!(feed.fetched, Some(Millis(1_000)));
    assert_eq!(feed.tried, Some(Millis(2_000)));
}

fn forwarders() -> Forwarders {
    Forwarders {
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        dkim_domains: vec!["acme.example".parse().unwrap()],
        arc_sealers: Vec::new(),
    }
}

fn endpoint_settings() -> EndpointSettings {
    let text = r#"{"url": "https://desk.example/in", "form": "json", "secrets": ["secret"]}"#;
    serde_json::from_str(text).unwrap()
}

fn policy_settings() -> PolicySettings {
    serde_json::from_str(r#"{"mode": "enhanced"}"#).unwrap()
}

/// Returns the rows as INSERT statements.
fn dump(database: &Connection) -> String {
    let mut dumped = String::new();
    for table in [
        "accounts",
        "brands",
        "connectors",
        "addresses",
        "credentials",
        "policy_settings",
        "agreements",
        "partner_lists",
        "partners",
        "connections",
        "restrictions",
        "dkim_keys",
        "administrators",
        "probes",
        "handovers",
        "audit",
        "api_tokens",
        "kept_requests",
        "endpoints",
    ] {
        let mut select = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = select.column_count();
        let names: Vec<_> = select.column_names().map(str::to_owned).collect();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let value = |column| match row.get_ref(column).unwrap() {
                rusqlite::types::ValueRef::Null => "NULL".to_owned(),
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                rusqlite::types::ValueRef::Text(text) => {
                    format!("'{}'", String::from_utf8_lossy(text).replace('\'', "''"))
                }
                rusqlite::types::ValueRef::Blob(bytes) => {
                    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    format!("x'{digits}'")
                }
                other => panic!("{other:?}"),
            };
            let values: Vec<_> = (0..columns).map(value).collect();
            let (names, values) = (names.join(", "), values.join(", "));
            dumped += &format!("INSERT INTO {table} ({names}) VALUES ({values});\n");
        }
    }
    dumped
}

#[test]
fn every_earlier_schema_is_upgraded() {
    if std::env::var_os("GATEPOST_BUILD_STORE").is_some() {
        let folder = tempfile::tempdir().unwrap();
        fill(&open(folder.path()));
        hand_over(folder.path());
        let database = Connection::open(folder.path().join("directory.db")).unwrap();
        let newest = store(SCHEMAS.last().unwrap());
        fs::write(newest.join("rows.sql"), dump(&database)).unwrap();
        fs::copy(folder.path().join("key-ring"), newest.join("key-ring")).unwrap();
    }
    for (number, name) in SCHEMAS.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let database = Connection::open(folder.path().join("directory.db")).unwrap();
        for step in &SCHEMAS[..=number] {
            database.execute_batch(&source(step)).unwrap();
        }
        let rows = fs::read_to_string(store(name).join("rows.sql")).unwrap();
        database.execute_batch(&rows).unwrap();
        database
            .pragma_update(None, "user_version", (number + 1) as u32)
            .unwrap();
        drop(database);
        fs::copy(store(name).join("key-ring"), folder.path().join("key-ring")).unwrap();

        let directory = open(folder.path());
        let view = directory.view();
        let account = view.accounts().next().unwrap().clone();
        assert_eq!(account.profile.native_domain.as_str(), "acme.desk.example");
        assert_eq!(account.profile.brands.len(), 1);
        assert_eq!(
            view.connectors(account.id)[0].state,
            ConnectorState::Disconnected
        );
        for receives in [
            "help@acme.desk.example",
            "help@acme.example",
            "acme@acme.desk.example",
        ] {
            let whose = view.recipient(&address(receives));
            assert!(
                matches!(whose, Recipient::Of(d) if d.account == account.id),
                "{receives}"
            );
        }
        let credentials = directory.credentials().unwrap();
        assert_eq!(credentials.len(), 2);
        let (connected, policies) = (&view.connectors(account.id)[0], &account.policies);
        if number == 0 {
            assert_eq!(connected.forwarders, Forwarders::default());
            assert!(policies.is_empty());
        } else {
            assert_eq!(connected.forwarders, forwarders());
            assert_eq!(policies["inbound-auth"], policy_settings());
        }
        match number {
            0 | 1 => assert_eq!(view.partner_entries(), 0),
            _ => partners(&directory),
        }
        let connections: Vec<_> = view.connections(account.id).collect();
        match number {
            0..=2 => assert!(connections.is_empty()),
            _ => {
                let name = "outlook".parse().unwrap();
                let expected = connection(&name, &["brand Acme"]).unwrap();
                assert_eq!(*connections[0].connection, expected);
                let branded = address("brand@acme.desk.example");
                assert_eq!(view.brand_of(account.id, &branded), Some("Acme"));
            }
        }
        let branded = address("brand@acme.desk.example");
        let endpoint = view.endpoint_of(account.id, &branded);
        let endpoint =
            endpoint.map(|of| (of.name.to_string(), EndpointSettings::clone(&of.settings)));
        let expected = ("tickets".to_owned(), endpoint_settings());
        assert_eq!(endpoint, (number > 8).then_some(expected));
        let has_restrictions = number > 4;
        let restriction = view.restriction(&account.id.to_string());
        let most = restriction.map(|of| of.caps.account.messages_an_hour);
        assert_eq!(most, has_restrictions.then_some(Some(Cap::AtMost(7))));
        let other = view.accounts().nth(1).map(|other| other.id.to_string());
        let suspension = other.and_then(|other| view.suspension(&other).cloned());
        let reason = suspension.and_then(|of| of.reason);
        let reason = reason.as_ref().map(Reason::as_str);
        assert_eq!(reason, has_restrictions.then_some("stolen"));
        let of_account = view.signers(KeyOwner::Account(account.id), "acme.example");
        let of_site = view.signers(KeyOwner::Site, "desk.example");
        for signers in [of_account, of_site] {
            assert_eq!(signers.len(), usize::from(number > 3));
            assert!(signers.iter().all(|signer| signer.key.public().is_ok()));
        }
        let has_people = number > 5;
        assert_eq!(view.probe(&PROBE.parse().unwrap()).is_some(), has_people);
        assert_eq!(view.handover(&"7".repeat(64)).is_some(), has_people);
        let tokens = view
            .api_tokens()
            .filter(|of| of.token.account == Some(account.id));
        assert_eq!(tokens.count(), usize::from(number > 6));
        let known = directory.begin_request("token", "key", "digest", Millis(11_000));
        let kept = match number > 7 {
            true => KnownRequest::Answered(b"answer".to_vec()),
            false => KnownRequest::New,
        };
        assert_eq!(known.unwrap(), kept);
        let query = AuditQuery {
            account: Some(account.id.to_string()),
            limit: 9,
            ..AuditQuery::default()
        };
        let audited = directory.audit(&query).unwrap();
        assert_eq!(audited.len(), usize::from(has_people));
        let found = directory.addresses().unwrap();
        let verified = found.iter().any(|of| of.details.inbound.is_verified());
        assert_eq!(verified, has_people);
        let secret = fs::read_to_string(store(name).join("secret")).unwrap();
        for credential in credentials {
            let known = view.credential(credential.user_name.as_str()).unwrap();
            let inbound = matches!(credential.scope, Scope::Inbound { .. });
            assert_eq!(known.is_live(), inbound);
            let cancelled = credential.ended.map(|end| end.how == EndedBy::Cancelled);
            assert_eq!(cancelled, (!inbound).then_some(true));
            assert_eq!(known.verifier.is_of(&secret), inbound);
            assert_eq!(credential.last_used, inbound.then_some(Millis(1_000)));
            let network = credential.last_network.map(|network| network.to_string());
            let client = (inbound && has_restrictions).then_some("192.0.2.7/32");
            assert_eq!(network.as_deref(), client);
        }
    }
}

#[test]
fn every_released_schema_has_its_store() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let database = Connection::open(folder.path().join("directory.db")).unwrap();
    let version = "PRAGMA user_version";
    let current: usize = database
        .query_row(version, [], |row| row.get::<_, u32>(0))
        .unwrap() as usize;
    assert_eq!(
        SCHEMAS.len(),
        current,
        "put a store of the new schema beside the others"
    );

    let later = current as u32 + 1;
    database.pragma_update(None, "user_version", later).unwrap();
    drop(database);
    let refused = Directory::open(&settings(folder.path())).unwrap_err();
    assert!(matches!(refused, DirectoryError::Newer { found, .. } if found == later));
}
