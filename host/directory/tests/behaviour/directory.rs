//! Ownership of addresses and domains, credentials, limits and the key ring.

use crate::common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use common::{address, claim, open, production, profile, settings, verified};
use gatepost_directory::{
    AccountKind, ConnectorKind, Destination, Directory, DirectoryError, Grant, Limits, QueuedMail,
    Recipient, Refusal, Scope,
};
use gatepost_message::Millis;

fn refusal<T: std::fmt::Debug>(result: Result<T, DirectoryError>) -> Refusal {
    match result.unwrap_err() {
        DirectoryError::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

#[test]
fn a_native_domain_has_explicit_addresses_sub_addresses_and_a_postmaster() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    directory
        .add_address(acme, address("Help@acme.desk.example"))
        .unwrap();
    let of_acme = Recipient::Of(Destination {
        account: acme,
        connector: None,
    });
    for (recipient, whose) in [
        ("help@acme.desk.example", of_acme),
        ("HELP@Acme.Desk.Example", of_acme),
        ("\"help\"@acme.desk.example", of_acme),
        ("help+42@acme.desk.example", of_acme),
        ("Postmaster@acme.desk.example", of_acme),
        ("helper@acme.desk.example", Recipient::Unknown),
        ("help@desk.example", Recipient::Elsewhere),
        ("help@sub.acme.desk.example", Recipient::Elsewhere),
    ] {
        assert_eq!(
            directory.view().recipient(&address(recipient)),
            whose,
            "{recipient}"
        );
    }
    directory
        .remove_address(acme, &address("help@ACME.desk.example"))
        .unwrap();
    let gone = directory
        .view()
        .recipient(&address("help@acme.desk.example"));
    assert_eq!(gone, Recipient::Unknown);
}

#[test]
fn a_claim_blocks_nobody_and_the_first_to_verify_has_the_domain() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let squatter = production(&directory, "squatter.desk.example").id;
    let acme = production(&directory, "acme.desk.example").id;
    let help = address("help@acme.example");
    let squatted = directory
        .add_connector(claim(squatter, "acme.example"))
        .unwrap();
    directory.add_address(squatter, help.clone()).unwrap();
    assert_eq!(directory.view().recipient(&help), Recipient::Elsewhere);

    let connector = verified(&directory, acme, "acme.example").id;
    directory.add_address(acme, help.clone()).unwrap();
    let of_acme = Recipient::Of(Destination {
        account: acme,
        connector: Some(connector),
    });
    assert_eq!(directory.view().recipient(&help), of_acme);
    let other = directory.view().recipient(&address("ann@acme.example"));
    assert_eq!(other, Recipient::Elsewhere);
    let taken = refusal(directory.verify_connector(squatted.id));
    assert!(
        matches!(taken, Refusal::DomainTaken { owner, .. } if owner == acme),
        "{taken}"
    );
    assert!(matches!(
        refusal(directory.disconnect_connector(squatted.id, QueuedMail::Hold)),
        Refusal::NotVerified(_)
    ));

    // A disconnected domain still receives, and still belongs to the account.
    (directory.disconnect_connector(connector, QueuedMail::Hold)).unwrap();
    assert_eq!(directory.view().recipient(&help), of_acme);
    refusal(directory.verify_connector(squatted.id));
    directory.remove_address(acme, &help).unwrap();
    directory.remove_connector(connector).unwrap();
    directory.verify_connector(squatted.id).unwrap();
    assert!(matches!(directory.view().recipient(&help), Recipient::Of(d) if d.account == squatter));
}

#[test]
fn an_address_is_in_a_sandbox_or_in_production() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let sandbox = profile(AccountKind::Sandbox, "acme-sandbox.desk.example");
    let sandbox = directory.add_account(sandbox).unwrap().id;
    verified(&directory, acme, "acme.example");
    directory
        .add_address(acme, address("help@acme.example"))
        .unwrap();
    directory
        .add_connector(claim(sandbox, "acme.example"))
        .unwrap();
    let refused = refusal(directory.add_address(sandbox, address("HELP@acme.example")));
    assert!(matches!(refused, Refusal::AddressInOther { owner, .. } if owner == acme));
    let text = refused.to_string();
    assert!(
        text.contains("cannot be in a sandbox and in production at once"),
        "{text}"
    );
    assert!(matches!(
        refusal(directory.add_address(sandbox, address("help@acme.desk.example"))),
        Refusal::ForeignAddress { .. }
    ));
    assert!(matches!(
        refusal(directory.add_address(acme, address("help@acme.example"))),
        Refusal::AddressTaken { .. }
    ));
}

#[test]
fn limits_are_enforced_and_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    for number in 0..4 {
        directory
            .add_connector(claim(acme, &format!("d{number}.example")))
            .unwrap();
    }
    let fifth = || directory.add_connector(claim(acme, "d5.example"));
    assert!(matches!(
        refusal(fifth()),
        Refusal::TooManyDomains { limit: 4, .. }
    ));
    for number in 0..50 {
        for domain in ["acme.desk.example", "d1.example"] {
            let text = format!("a{number}@{domain}");
            directory.add_address(acme, address(&text)).unwrap();
        }
    }
    // The native domain is the site's own, and has as many as it wants.
    let native = directory.add_address(acme, address("over@acme.desk.example"));
    native.unwrap();
    let over = || directory.add_address(acme, address("over@d1.example"));
    assert!(matches!(
        refusal(over()),
        Refusal::TooManyAddresses { limit: 50, .. }
    ));
    directory.set_limits(Limits {
        domains_per_account: 5,
        addresses_per_domain: 51,
        ..Limits::default()
    });
    fifth().unwrap();
    over().unwrap();
}

#[test]
fn a_credential_is_of_one_kind_and_its_secret_is_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let connector = verified(&directory, acme, "acme.example").id;
    let inbound = directory.issue(Grant::Inbound { connector }, true).unwrap();
    let submission = directory
        .issue(Grant::Submission { account: acme }, false)
        .unwrap();

    let view = directory.view();
    let user = &inbound.credential.user_name;
    let known = view.credential(user.as_str()).unwrap();
    assert!(known.is_live() && view.is_live(user));
    assert!(known.verifier.is_of(inbound.secret.reveal()));
    assert!(!known.verifier.is_of(submission.secret.reveal()));
    let domain = "acme.example".parse().unwrap();
    assert_eq!(known.credential.scope, Scope::Inbound { connector, domain });
    assert_eq!(submission.credential.scope, Scope::Submission);

    // The alias logs in as this credential, and receives.
    let alias = inbound.credential.alias.clone().unwrap();
    assert_eq!(alias.as_str(), "acme@acme.desk.example");
    let by_alias = view.credential("ACME@acme.desk.example").unwrap();
    assert_eq!(by_alias.credential.user_name, *user);
    assert!(matches!(view.recipient(&alias), Recipient::Of(_)));
    let second = directory.issue(Grant::Submission { account: acme }, true);
    assert!(matches!(refusal(second), Refusal::AliasTaken { .. }));

    // An unknown user costs the same work and is never let in.
    assert!(view.credential("nobody").is_none());
    let nobody = view.verifier_of_nobody("nobody");
    assert_eq!(nobody.iterations(), known.verifier.iterations());
    assert_eq!(
        nobody.salt(),
        directory.view().verifier_of_nobody("nobody").salt()
    );
    assert!(!nobody.is_of(inbound.secret.reveal()));

    // Neither the secret nor its verifier is on disk.
    let secret = inbound.secret.reveal().as_bytes().to_vec();
    let stored_key = known.verifier.encode()[20..52].to_vec();
    drop(directory);
    let stored = fs::read(folder.path().join("directory.db")).unwrap();
    let holds = |what: &[u8]| stored.windows(what.len()).any(|window| window == what);
    assert!(
        holds(user.as_str().as_bytes()),
        "the file is not read rightly"
    );
    assert!(!holds(&secret) && !holds(&stored_key));
    for file in ["directory.db", "key-ring"] {
        let mode = fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn two_credentials_are_live_at_a_time_and_one_is_cancelled_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let connector = verified(&directory, acme, "acme.example").id;
    let grant = Grant::Inbound { connector };
    let first = directory.issue(grant, true).unwrap().credential;
    directory.issue(grant, false).unwrap();
    let third = refusal(directory.issue(grant, false));
    assert!(matches!(third, Refusal::TooManyCredentials { limit: 2 }));

    directory.cancel(&first.user_name).unwrap();
    let view = directory.view();
    assert!(!view.is_live(&first.user_name));
    assert!(!view.credential(first.user_name.as_str()).unwrap().is_live());
    assert!(view.credential("acme@acme.desk.example").is_none());
    let alias = view.recipient(&address("acme@acme.desk.example"));
    assert!(
        matches!(alias, Recipient::Of(_)),
        "mail is on its way to it"
    );
    directory.issue(grant, true).unwrap();
    directory.remove_credential(&first.user_name).unwrap();
    assert!(!directory.view().is_live(&first.user_name));

    let claimed = gatepost_directory::Claim {
        kind: ConnectorKind::OutboundOnly,
        ..claim(acme, "out.example")
    };
    let connector = directory.add_connector(claimed).unwrap().id;
    let outbound = refusal(directory.issue(Grant::Inbound { connector }, false));
    assert!(matches!(outbound, Refusal::NotTwoWay(_)));
}

#[test]
fn the_last_use_is_recorded_and_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let account = production(&directory, "acme.desk.example").id;
    let issued = directory
        .issue(Grant::Submission { account }, false)
        .unwrap();
    let last = |directory: &Directory| {
        let credential = directory.credentials().unwrap().remove(0);
        (credential.last_used, credential.last_network)
    };
    let client_network = |text: &str| Some(text.parse().unwrap());
    assert_eq!(last(&directory), (None, None));
    let user = &issued.credential.user_name;
    let client = |text: &str| Some(text.parse().unwrap());
    directory.record_use(user, client("192.0.2.1"), Millis(2_000));
    directory.record_use(user, client("192.0.2.9"), Millis(1_000));
    assert_eq!(
        last(&directory),
        (Some(Millis(2_000)), client_network("192.0.2.1/32"))
    );
    directory.record_use(user, client("2001:db8::1:2"), Millis(3_000));
    drop(directory);
    let after = last(&open(folder.path()));
    assert_eq!(
        after,
        (Some(Millis(3_000)), client_network("2001:db8::/64"))
    );
}

#[test]
fn rekeying_encrypts_everything_with_a_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let account = production(&directory, "acme.desk.example").id;
    let issued = directory
        .issue(Grant::Submission { account }, false)
        .unwrap();
    let ring = folder.path().join("key-ring");
    let before = fs::read_to_string(&ring).unwrap();
    assert_eq!(directory.rekey().unwrap(), 1);
    let after = fs::read_to_string(&ring).unwrap();
    let added = after.strip_prefix(&before).unwrap();
    drop(directory);

    // The former key is not needed any more.
    fs::write(&ring, added).unwrap();
    let directory = open(folder.path());
    let view = directory.view();
    let known = view
        .credential(issued.credential.user_name.as_str())
        .unwrap();
    assert!(known.verifier.is_of(issued.secret.reveal()));
    drop((view, directory));

    fs::write(&ring, before).unwrap();
    let lacks = Directory::open(&settings(folder.path())).unwrap_err();
    assert!(matches!(lacks, DirectoryError::NoKey { .. }), "{lacks}");
    fs::remove_file(&ring).unwrap();
    let missing = Directory::open(&settings(folder.path())).unwrap_err();
    assert!(
        matches!(missing, DirectoryError::KeyRing { .. }),
        "{missing}"
    );
    assert!(
        !ring.exists(),
        "no new key ring in the place of the one that is needed"
    );
}

#[test]
fn a_verifier_is_good_in_its_own_row_only() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let account = production(&directory, "acme.desk.example").id;
    for _ in 0..2 {
        directory
            .issue(Grant::Submission { account }, false)
            .unwrap();
    }
    drop(directory);
    let database = rusqlite::Connection::open(folder.path().join("directory.db")).unwrap();
    let copy = "UPDATE credentials SET verifier = (SELECT verifier FROM credentials LIMIT 1)";
    assert_eq!(database.execute(copy, []).unwrap(), 2);
    drop(database);
    let damaged = Directory::open(&settings(folder.path())).unwrap_err();
    assert!(matches!(damaged, DirectoryError::Damaged(_)), "{damaged}");
}

#[test]
fn an_account_or_connector_with_contents_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let connector = verified(&directory, acme, "acme.example").id;
    let help = address("help@acme.example");
    directory.add_address(acme, help.clone()).unwrap();
    let left = refusal(directory.remove_connector(connector));
    assert!(
        left.to_string()
            .contains("support addresses: remove these first"),
        "{left}"
    );
    refusal(directory.remove_account(acme));
    directory.remove_address(acme, &help).unwrap();
    directory.remove_connector(connector).unwrap();
    directory.remove_account(acme).unwrap();
    let gone = refusal(directory.remove_account(acme));
    assert!(matches!(gone, Refusal::Unknown { .. }));
    assert!(directory.view().account(acme).is_none());
}

#[test]
fn a_removed_account_leaves_no_row_in_any_table() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let settings = [("mode".to_owned(), "enhanced".into())].into_iter();
    let settings = Some(settings.collect());
    directory.set_policy(acme, "loop-guard", settings).unwrap();
    let connector = verified(&directory, acme, "acme.example").id;
    let ann = "ann@partner.example".parse().unwrap();
    directory.add_partner(acme, &ann).unwrap();
    let has = |what: &str| {
        let refused = refusal(directory.remove_account(acme)).to_string();
        assert!(refused.contains(what), "{refused}");
    };
    has("connectors");
    directory.remove_connector(connector).unwrap();
    has("partner addresses or feeds");
    directory.remove_partner(acme, &ann).unwrap();
    directory.remove_account(acme).unwrap();
    drop(directory);
    let database = rusqlite::Connection::open(folder.path().join("directory.db")).unwrap();
    let select = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut tables = database.prepare(select).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for table in tables {
        let table = table.unwrap();
        let count = format!("SELECT count(*) FROM {table}");
        let rows: u32 = database.query_row(&count, [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}
