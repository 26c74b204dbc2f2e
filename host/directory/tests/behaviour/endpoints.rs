//! Endpoints of accounts: the narrowest gets the mail, and all of one is encrypted.

use crate::common;

use std::fs;

use common::{address, claim, open, production, settings};
use gatepost_connections::Secret;
use gatepost_directory::{
    AccountEndpoint, AccountId, Directory, DirectoryError, EndpointName, EndpointScope,
    EndpointSettings, MAX_ENDPOINTS, Refusal,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn name(text: &str) -> EndpointName {
    text.parse().unwrap()
}

fn endpoint_settings(url: &str) -> EndpointSettings {
    EndpointSettings {
        url: Some(url.to_owned()),
        secrets: Some(vec![Secret::new(SECRET)]),
        ..EndpointSettings::default()
    }
}

fn set(
    directory: &Directory,
    account: AccountId,
    named: &str,
    scope: &str,
) -> Result<AccountEndpoint, DirectoryError> {
    let scope: EndpointScope = scope.parse().unwrap();
    let made = directory.set_endpoint(account, &name(named), |_| {
        Ok::<_, ()>((scope, endpoint_settings("https://desk.example/inbound")))
    });
    made.map(Result::unwrap)
}

fn refusal(refused: Result<AccountEndpoint, DirectoryError>) -> Refusal {
    match refused {
        Err(DirectoryError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_narrowest_endpoint_gets_the_mail_of_a_recipient() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let other = production(&directory, "other.desk.example").id;
    let plain = address("plain@acme.desk.example");
    directory.add_address(acme, plain).unwrap();
    for branded in ["sales@acme.desk.example", "boss@acme.desk.example"] {
        let brand = "Acme".parse().ok();
        (directory.add_address_of_brand(acme, address(branded), brand)).unwrap();
    }
    let found = |recipient: &str| {
        let view = directory.view();
        let found = view.endpoint_of(acme, &address(recipient));
        found.map(|of| of.name.to_string())
    };
    assert_eq!(found("plain@acme.desk.example"), None);
    set(&directory, acme, "one", "Boss@acme.desk.example").unwrap();
    assert_eq!(found("plain@acme.desk.example"), None);
    set(&directory, acme, "brand", "brand Acme").unwrap();
    set(&directory, acme, "all", "account").unwrap();
    for (recipient, expected) in [
        ("boss@acme.desk.example", "one"),
        ("BOSS+ticket@acme.desk.example", "one"),
        ("sales@acme.desk.example", "brand"),
        ("plain@acme.desk.example", "all"),
        // It is the account's by its native domain, whatever address it had.
        ("gone@acme.desk.example", "all"),
    ] {
        assert_eq!(found(recipient).as_deref(), Some(expected), "{recipient}");
    }
    let view = directory.view();
    let of_other = view.endpoint_of(other, &address("boss@acme.desk.example"));
    assert!(of_other.is_none());
    // A new brand of an address takes effect at once.
    let sales = address("sales@acme.desk.example");
    directory.set_address_brand(acme, &sales, None).unwrap();
    assert_eq!(found("sales@acme.desk.example").as_deref(), Some("all"));
    directory.remove_endpoint(acme, &name("one")).unwrap();
    assert_eq!(found("boss@acme.desk.example").as_deref(), Some("brand"));
}

#[test]
fn an_endpoint_is_for_recipients_of_its_account_and_one_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let other = production(&directory, "other.desk.example").id;
    let theirs = address("help@other.desk.example");
    directory.add_address(other, theirs).unwrap();
    let help = address("help@acme.desk.example");
    directory.add_address(acme, help.clone()).unwrap();
    let refused = refusal(set(&directory, acme, "a", "help@other.desk.example"));
    assert!(matches!(refused, Refusal::Unknown { .. }), "{refused}");
    let refused = refusal(set(&directory, acme, "a", "brand Nothing"));
    assert!(matches!(refused, Refusal::NoBrand { .. }), "{refused}");

    for (named, scope, again) in [
        ("a", "help@acme.desk.example", "Help@ACME.desk.example"),
        ("b", "brand Acme", "brand Acme"),
        ("c", "account", "account"),
    ] {
        set(&directory, acme, named, scope).unwrap();
        let refused = refusal(set(&directory, acme, "more", again));
        let text = refused.to_string();
        assert!(text.contains(&format!("endpoint {named} is for")), "{text}");
        // Itself it may be for them again.
        set(&directory, acme, named, again).unwrap();
    }

    let error = directory.remove_address(acme, &help).unwrap_err();
    assert!(error.to_string().contains("an endpoint"), "{error}");
    directory.remove_endpoint(acme, &name("a")).unwrap();
    directory.remove_address(acme, &help).unwrap();
    let without = gatepost_directory::ProfileChange {
        remove_brands: vec!["Acme".parse().unwrap()],
        ..Default::default()
    };
    let error = directory.change_profile(acme, without.clone()).unwrap_err();
    assert!(error.to_string().contains("an endpoint"), "{error}");
    directory.remove_endpoint(acme, &name("b")).unwrap();
    directory.change_profile(acme, without).unwrap();
    let error = directory.remove_account(acme).unwrap_err();
    assert!(error.to_string().contains("still has endpoints"), "{error}");
    directory.remove_endpoint(acme, &name("c")).unwrap();
    directory.remove_account(acme).unwrap();
    let error = directory.remove_endpoint(other, &name("gone")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("there is no endpoint gone"), "{text}");
}

#[test]
fn an_account_has_a_hundred_endpoints_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    for number in 0..MAX_ENDPOINTS {
        let of = format!("a{number}@acme.desk.example");
        directory.add_address(acme, address(&of)).unwrap();
        set(&directory, acme, &format!("e-{number}"), &of).unwrap();
    }
    let refused = refusal(set(&directory, acme, "more", "account"));
    assert!(
        matches!(refused, Refusal::TooManyEndpoints { limit: 100, .. }),
        "{refused}"
    );
    set(&directory, acme, "e-0", "account").unwrap();
}

#[test]
fn each_change_makes_a_new_generation_and_keeps_the_time_of_creation() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let mut before = set(&directory, acme, "in", "account").unwrap();
    for _ in 0..3 {
        let after = set(&directory, acme, "in", "account").unwrap();
        assert!(after.generation > before.generation);
        assert_eq!(after.created, before.created);
        before = after;
    }
}

#[test]
fn the_file_holds_no_secret_and_no_url_and_the_key_ring_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    directory
        .add_connector(claim(acme, "acme.example"))
        .unwrap();
    let mail = address("help@acme.example");
    directory.add_address(acme, mail).unwrap();
    let made = set(&directory, acme, "in", "help@acme.example").unwrap();
    assert_eq!(directory.rekey().unwrap(), 1);
    assert!(!format!("{:?}", directory.view()).contains(SECRET));
    drop(directory);
    for file in ["directory.db", "directory.db-wal"] {
        let bytes = fs::read(folder.path().join(file)).unwrap_or_default();
        let holds = |text: &str| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        assert!(!holds(SECRET) && !holds("https://desk"), "{file}");
    }
    let directory = open(folder.path());
    let view = directory.view();
    let found = view.endpoint(acme, "in").unwrap();
    assert_eq!(*found, made);
    assert_eq!(view.all_endpoints(), vec![found]);
    let secrets = found.settings.secrets.as_deref().unwrap();
    assert_eq!(secrets[0].reveal(), SECRET);
    drop(directory);

    let database = rusqlite::Connection::open(folder.path().join("directory.db")).unwrap();
    database
        .execute("UPDATE endpoints SET name = 'other'", [])
        .unwrap();
    drop(database);
    let error = Directory::open(&settings(folder.path())).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[test]
fn settings_that_are_left_out_stay_and_a_preset_takes_the_place_of_a_form() {
    let read = |json: &str| serde_json::from_str::<EndpointSettings>(json).unwrap();
    let former = read(
        r#"{"url": "https://a.example/", "form": "json", "attachments": "url", "ca": "PEM",
            "failing": [409], "secrets": ["x"]}"#,
    );
    let over = |json: &str| read(json).over(former.clone());
    let url = read(
        r#"{"url": "https://b.example/", "form": "json", "attachments": "url", "ca": "PEM",
            "failing": [409], "secrets": ["x"]}"#,
    );
    assert_eq!(over(r#"{"url": "https://b.example/"}"#), url);
    let preset = over(r#"{"preset": "zammad", "api-key": "k", "pinned-keys": ["p"]}"#);
    let expected = read(
        r#"{"url": "https://a.example/", "preset": "zammad", "api-key": "k", "pinned-keys": ["p"],
            "failing": [409], "secrets": ["x"]}"#,
    );
    assert_eq!(preset, expected);
    let raw = read(r#"{"form": "raw", "ca": ""}"#).over(former.clone());
    let expected =
        read(r#"{"url": "https://a.example/", "form": "raw", "failing": [409], "secrets": ["x"]}"#);
    assert_eq!(raw, expected);
    let back = read(r#"{"form": "raw"}"#).over(preset);
    assert_eq!((back.preset, back.api_key), (None, None));
}
