//! The life of credentials: rotation, retirement with a grace period, cancellation, removal.

use crate::common;

use std::time::Duration;

use common::{address, claim, open, production, verified};
use gatepost_directory::{
    AccountId, AuditEntry, AuditQuery, Directory, DirectoryError, EndedBy, Grant, Limits,
    QueuedMail, Refusal, Standing, UserName,
};
use gatepost_message::Millis;
use tempfile::TempDir;

const GRACE: Duration = Duration::from_secs(7 * 86_400);

/// Makes a directory with an account that has verified acme.example, and has two live credentials:
/// one with the alias, and the one that is to take its place.
struct Rotated {
    _folder: TempDir,
    directory: Directory,
    account: AccountId,
    grant: Grant,
    former: UserName,
    next: UserName,
}

impl Rotated {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = open(folder.path());
        let account = production(&directory, "acme.desk.example").id;
        let connector = verified(&directory, account, "acme.example").id;
        let grant = Grant::Inbound { connector };
        let former = directory.issue(grant, true).unwrap().credential.user_name;
        let next = directory.rotate(&former).unwrap().credential;
        assert_eq!(next.details.replaces, Some(former.clone()));
        Self {
            _folder: folder,
            directory,
            account,
            grant,
            former,
            next: next.user_name,
        }
    }

    fn standing_at(&self, user: &UserName, now: Millis) -> Standing {
        let view = self.directory.view();
        let known = view.credential(user.as_str()).unwrap();
        view.standing(known, GRACE, now)
    }

    fn standing(&self, user: &UserName) -> Standing {
        self.standing_at(user, Millis::now())
    }

    /// Returns the credential that logs in by the alias.
    fn by_alias(&self) -> Option<UserName> {
        let view = self.directory.view();
        let known = view.credential("acme@acme.desk.example")?;
        Some(known.credential.user_name.clone())
    }
}

fn refusal<T: std::fmt::Debug>(refused: Result<T, DirectoryError>) -> Refusal {
    match refused.unwrap_err() {
        DirectoryError::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

#[test]
fn both_credentials_of_a_rotation_are_valid_until_one_is_retired() {
    let site = Rotated::new();
    for user in [&site.former, &site.next] {
        assert_eq!(site.standing(user), Standing::Live);
    }
    let again = refusal(site.directory.rotate(&site.former));
    assert!(matches!(again, Refusal::RotationUnderWay { .. }), "{again}");
    assert_eq!(site.by_alias().as_ref(), Some(&site.former));

    site.directory.retire(&site.former, false).unwrap();
    assert_eq!(site.standing(&site.former), Standing::Grace);
    assert_eq!(site.standing(&site.next), Standing::Live);
    assert_eq!(site.by_alias().as_ref(), Some(&site.next));
    assert!(!site.directory.view().is_live(&site.former));
    let later = Millis::now() + GRACE;
    assert_eq!(site.standing_at(&site.former, later), Standing::Void);
    // The next rotation may begin.
    site.directory.rotate(&site.next).unwrap();
    let ended = refusal(site.directory.rotate(&site.former));
    assert!(matches!(ended, Refusal::CredentialEnded(_)), "{ended}");
}

#[test]
fn a_credential_in_use_is_retired_by_force_alone() {
    let site = Rotated::new();
    site.directory.record_use(&site.former, None, Millis::now());
    let used = refusal(site.directory.retire(&site.former, false));
    assert!(matches!(used, Refusal::CredentialInUse { .. }), "{used}");
    assert_eq!(site.standing(&site.former), Standing::Live);
    site.directory.set_limits(Limits {
        retire_unused: Duration::ZERO,
        ..Limits::default()
    });
    site.directory.retire(&site.former, false).unwrap();
    site.directory.record_use(&site.next, None, Millis::now());
    site.directory.set_limits(Limits::default());
    site.directory.retire(&site.next, true).unwrap();
    assert_eq!(site.standing(&site.next), Standing::Grace);
    // Nobody else has the alias: its user is asked to come again, too.
    assert_eq!(site.by_alias().as_ref(), Some(&site.next));
}

#[test]
fn a_cancelled_credential_is_void_at_once_even_if_it_was_retired() {
    let site = Rotated::new();
    site.directory.retire(&site.former, true).unwrap();
    let cancelled = site.directory.cancel(&site.former).unwrap();
    assert_eq!(cancelled.ended.unwrap().how, EndedBy::Cancelled);
    assert_eq!(site.standing(&site.former), Standing::Void);
    // To retire it afterwards softens nothing.
    site.directory.retire(&site.former, true).unwrap();
    assert_eq!(site.standing(&site.former), Standing::Void);
}

#[test]
fn a_removed_credential_is_in_no_list_and_has_its_grace_period() {
    let site = Rotated::new();
    site.directory.remove_credential(&site.former).unwrap();
    let listed = site.directory.credentials().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].user_name, site.next);
    assert_eq!(site.directory.view().credentials_of(site.account).len(), 1);
    assert_eq!(site.standing(&site.former), Standing::Grace);
    let unknown = refusal(site.directory.cancel(&site.former));
    assert!(matches!(unknown, Refusal::Unknown { .. }), "{unknown}");

    let forget = |now| site.directory.forget_removed(GRACE, now).unwrap();
    forget(Millis::now());
    assert_eq!(site.standing(&site.former), Standing::Grace);
    forget(Millis::now() + GRACE);
    let view = site.directory.view();
    assert!(view.credential(site.former.as_str()).is_none());
    assert!(view.is_live(&site.next));

    // One that was cancelled goes at once.
    site.directory.cancel(&site.next).unwrap();
    site.directory.remove_credential(&site.next).unwrap();
    let view = site.directory.view();
    assert!(view.credential(site.next.as_str()).is_none());
}

#[test]
fn removed_credentials_do_not_keep_what_they_belonged_to() {
    let site = Rotated::new();
    let submission = Grant::Submission {
        account: site.account,
    };
    let submission = site.directory.issue(submission, false).unwrap();
    for user in [&site.former, &site.next, &submission.credential.user_name] {
        site.directory.remove_credential(user).unwrap();
    }
    let Grant::Inbound { connector } = site.grant else {
        unreachable!("it is for relay");
    };
    site.directory.remove_connector(connector).unwrap();
    assert!((site.directory.view().credential(site.former.as_str())).is_none());
    site.directory.remove_account(site.account).unwrap();
    let user = submission.credential.user_name;
    assert!(site.directory.view().credential(user.as_str()).is_none());
}

#[test]
fn credentials_of_a_disconnected_domain_have_its_grace_period() {
    let site = Rotated::new();
    let Grant::Inbound { connector } = site.grant else {
        unreachable!("it is for relay");
    };
    let disconnect = || {
        let disconnected = (site.directory).disconnect_connector(connector, QueuedMail::Hold);
        disconnected.unwrap().details.disconnected.unwrap().at
    };
    site.directory.cancel(&site.next).unwrap();
    let at = disconnect();
    assert_eq!(site.standing(&site.former), Standing::Grace);
    assert_eq!(site.standing(&site.next), Standing::Void);
    assert_eq!(site.standing_at(&site.former, at + GRACE), Standing::Void);
    assert_eq!(disconnect(), at, "the grace period does not begin anew");
    site.directory.reconnect_connector(connector).unwrap();
    assert_eq!(site.standing(&site.former), Standing::Live);

    // A domain that is merely claimed has none.
    let claimed = claim(site.account, "claimed.example");
    let connector = site.directory.add_connector(claimed).unwrap().id;
    let grant = Grant::Inbound { connector };
    let user = site.directory.issue(grant, false).unwrap();
    let user = user.credential.user_name;
    assert_eq!(site.standing(&user), Standing::Void);
}

#[test]
fn a_rotation_that_stays_is_reminded_of_once_in_its_time() {
    let site = Rotated::new();
    let (after, begun) = (Duration::from_secs(60), Millis::now());
    let remind = |now| site.directory.remind_of_rotations(after, now).unwrap();
    let users = |now| remind(now).into_iter().map(|of| (of.former, of.next));
    let both = (site.former.clone(), site.next.clone());
    assert_eq!(remind(begun).len(), 0);
    assert_eq!(
        users(begun + after).collect::<Vec<_>>(),
        std::slice::from_ref(&both)
    );
    assert_eq!(remind(begun + after).len(), 0);
    assert_eq!(users(begun + after * 2).collect::<Vec<_>>(), [both]);
    site.directory.retire(&site.former, true).unwrap();
    assert_eq!(remind(begun + after * 3).len(), 0);
}

#[test]
fn a_disconnected_sender_has_a_default_address() {
    let site = Rotated::new();
    let (help, sales) = (address("help@acme.example"), address("sales@acme.example"));
    let brand = "Acme".parse().ok();
    (site.directory.add_address(site.account, help.clone())).unwrap();
    (site
        .directory
        .add_address_of_brand(site.account, sales.clone(), brand))
    .unwrap();
    let native = address("native@acme.desk.example");
    (site.directory.add_address(site.account, native.clone())).unwrap();
    let hold = QueuedMail::Hold;
    let refused = refusal((site.directory).disconnect_address(site.account, &native, hold));
    assert!(matches!(refused, Refusal::NotConnected(_)), "{refused}");

    (site.directory.disconnect_address(site.account, &help, hold)).unwrap();
    let view = site.directory.view();
    let is = |text: &str| view.disconnection(site.account, &address(text)).is_some();
    assert!(is("help@acme.example") && is("Help+1@ACME.example"));
    assert!(!is("sales@acme.example") && !is("native@acme.desk.example"));
    assert_eq!(view.default_address(site.account, &help), None);

    let set = |details: &mut gatepost_directory::AccountDetails| {
        details.default_address = Some(address("native@acme.desk.example"));
        let of_brand = address("acme@acme.desk.example");
        details
            .brand_addresses
            .insert("Acme".parse().unwrap(), of_brand);
    };
    site.directory.change_account(site.account, set).unwrap();
    let view = site.directory.view();
    let default = |of| view.default_address(site.account, of).map(|of| of.as_str());
    assert_eq!(default(&help), Some("native@acme.desk.example"));
    assert_eq!(default(&sales), Some("acme@acme.desk.example"));
}

#[test]
fn uses_in_the_grace_period_are_counted_and_told_once_a_day() {
    let site = Rotated::new();
    let (directory, former) = (&site.directory, site.former.clone());
    let user = &former;
    let day = Duration::from_secs(86_400);
    let retired = Millis::now();
    directory.record_use(user, None, retired);
    directory.retire(user, true).unwrap();
    let uses = |directory: &Directory| {
        let all = directory.credentials().unwrap();
        let found = all.iter().find(|of| of.user_name == *user).unwrap();
        assert_eq!(found.last_used, Some(retired), "a refusal is no use");
        found.details.grace_uses
    };
    assert_eq!(uses(directory), None);
    let tell = |directory: &Directory, now| {
        let entry = |of: &gatepost_directory::Credential, new: u64| AuditEntry {
            at: now,
            account: Some(of.account.to_string()),
            actor: of.user_name.to_string(),
            origin: None,
            action: "credential-used-after-its-end".to_owned(),
            subject: of.user_name.to_string(),
            detail: Some(new.to_string()),
        };
        let told = directory.tell_of_grace(user, now, entry).unwrap();
        told.and_then(|entry| entry.detail)
    };
    assert_eq!(tell(directory, retired), None, "there is nothing to tell");
    let from = "192.0.2.7".parse().ok();
    for seconds in [3, 1, 2] {
        directory.record_grace_use(user, from, retired + Duration::from_secs(seconds));
    }
    let now = retired + Duration::from_secs(4);
    assert_eq!(tell(directory, now), Some("3".to_owned()));
    let counted = uses(directory).unwrap();
    assert_eq!(counted.count, 3);
    assert_eq!(counted.first, retired + Duration::from_secs(1));
    assert_eq!(counted.last, retired + Duration::from_secs(3));
    assert_eq!(counted.network, "192.0.2.7/32".parse().ok());
    directory.record_grace_use(user, None, now);
    assert_eq!(tell(directory, now), None, "it was told");

    // A restart forgets neither the number nor the time.
    let audit = directory.audit(&AuditQuery {
        account: None,
        before: None,
        limit: 10,
    });
    assert_eq!(audit.unwrap().len(), 1);
    let Rotated {
        _folder: folder,
        directory,
        ..
    } = site;
    drop(directory);
    let again = open(folder.path());
    assert_eq!(uses(&again).unwrap().count, 4);
    assert_eq!(tell(&again, now), None);
    again.record_grace_use(user, None, now + day);
    assert_eq!(tell(&again, now + day), Some("2".to_owned()));
}
