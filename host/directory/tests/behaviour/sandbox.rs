//! Sandboxes: their test users, the way into one and out of it, and domains that are in production.

use crate::common;

use common::{address, claim, open, production, profile, verified};
use gatepost_directory::{
    Account, AccountKind, Directory, DirectoryError, MAX_TEST_USERS, Refusal, SandboxReach,
    SandboxSettings,
};

fn refusal<T: std::fmt::Debug>(result: Result<T, DirectoryError>) -> Refusal {
    match result.unwrap_err() {
        DirectoryError::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

fn sandbox(directory: &Directory, native: &str) -> Account {
    let added = directory.add_account(profile(AccountKind::Sandbox, native));
    added.unwrap()
}

#[test]
fn mail_of_a_sandbox_reaches_its_test_users_or_its_maildir() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let id = sandbox(&directory, "trial.desk.example").id;
    let name = id.to_string();
    let (ann, bob) = (address("Ann@user.example"), address("bob@user.example"));
    directory.add_test_user(id, ann.clone()).unwrap();
    let again = address("ann@USER.example");
    directory.add_test_user(id, again.clone()).unwrap();
    let view = directory.view();
    let settings = view.sandbox(&name).unwrap();
    assert_eq!(settings.test_users, std::slice::from_ref(&ann));
    assert_eq!(settings.reach(&again), SandboxReach::TestUser);
    assert_eq!(
        settings.reach(&address("ann+1@user.example")),
        SandboxReach::Nowhere
    );
    assert_eq!(settings.reach(&bob), SandboxReach::Nowhere);

    directory.set_sandbox(id, "trials".parse().ok()).unwrap();
    drop(directory);
    let directory = open(folder.path());
    let view = directory.view();
    let settings = view.sandbox(&name).unwrap();
    assert_eq!(settings.reach(&bob), SandboxReach::Maildir("trials"));
    assert_eq!(settings.reach(&ann), SandboxReach::TestUser);

    directory.remove_test_user(id, &again).unwrap();
    assert!(matches!(
        refusal(directory.remove_test_user(id, &ann)),
        Refusal::NoTestUser { .. }
    ));
    let changed = directory.set_production(id).unwrap();
    assert_eq!(changed.details.sandbox, SandboxSettings::default());
    assert!(directory.view().sandbox(&name).is_none());
    assert!(matches!(
        refusal(directory.add_test_user(id, ann)),
        Refusal::NotSandbox(_)
    ));
}

#[test]
fn a_sandbox_has_so_many_test_users_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let settings = |number| SandboxSettings {
        test_users: (0..number)
            .map(|number| address(&format!("u{number}@user.example")))
            .collect(),
        maildir: None,
    };
    let of = |kind| profile(kind, "trial.desk.example");
    let many = directory.add_account_with(of(AccountKind::Sandbox), settings(MAX_TEST_USERS + 1));
    assert!(matches!(refusal(many), Refusal::TooManyTestUsers { .. }));
    let wrong = directory.add_account_with(of(AccountKind::Production), settings(1));
    assert!(matches!(refusal(wrong), Refusal::NotSandbox(_)));
    let added = directory.add_account_with(of(AccountKind::Sandbox), settings(MAX_TEST_USERS));
    let id = added.unwrap().id;
    let one_more = directory.add_test_user(id, address("more@user.example"));
    assert!(matches!(
        refusal(one_more),
        Refusal::TooManyTestUsers { .. }
    ));
    (directory.add_test_user(id, address("u0@user.example"))).unwrap();
}

#[test]
fn a_domain_is_in_a_sandbox_or_in_production() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let trial = sandbox(&directory, "trial.desk.example").id;
    verified(&directory, acme, "acme.example");
    let claimed = directory
        .add_connector(claim(trial, "acme.example"))
        .unwrap();
    let refused = refusal(directory.verify_connector(claimed.id));
    assert!(
        matches!(refused, Refusal::DomainInOther { owner, kind: AccountKind::Production, .. } if owner == acme),
        "{refused}"
    );
    let text = refused.to_string();
    for named in ["acme.example", &acme.to_string(), "production"] {
        assert!(text.contains(named), "{text}");
    }
    // Both in production: the claim is one of two, and hinders nobody.
    directory.set_production(trial).unwrap();
    assert!(matches!(
        refusal(directory.verify_connector(claimed.id)),
        Refusal::DomainTaken { .. }
    ));
    assert!(matches!(
        refusal(directory.set_sandbox(trial, None)),
        Refusal::DomainInOther { .. }
    ));
    directory.remove_connector(claimed.id).unwrap();
    directory.set_sandbox(trial, None).unwrap();
    // With all that it has connected an account may become a sandbox.
    directory.set_sandbox(acme, None).unwrap();
}
