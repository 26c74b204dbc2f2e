//! Each change that is not allowed is refused in its words, and changes nothing.

use crate::common;

use std::fmt::Debug;
use std::time::Duration;

use common::{address, claim, open, production, profile, verified};
use gatepost_directory::{
    AccountId, AccountKind, Claim, ConnectorId, ConnectorKind, Directory, DirectoryError, Fetched,
    ForwarderMark, Grant, Limits, PartnerEntry, PartnerSource, ProfileChange, QueuedMail, Reserved,
    UserName,
};
use gatepost_message::Millis;

/// Asserts that a change is refused with a text that begins with these words, after ids are
/// replaced.
fn refused<T: Debug>(result: Result<T, DirectoryError>, ids: &[(String, &str)], words: &str) {
    let mut text = match result.unwrap_err() {
        DirectoryError::Refused(refusal) => refusal.to_string(),
        other => panic!("{other} for {words}"),
    };
    for (id, name) in ids {
        text = text.replace(id, name);
    }
    assert!(text.starts_with(words), "{text}\nfor {words}");
}

#[test]
fn changes_that_are_not_allowed_are_refused_in_their_words() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    directory.set_limits(Limits {
        domains_per_account: 2,
        addresses_per_domain: 1,
        live_sets: 1,
        connections_per_account: 1,
        ..Limits::default()
    });
    directory.set_reserved_domains(Reserved::from([(
        "reserved.desk.example".parse().unwrap(),
        "site".to_owned(),
    )]));
    let acme = production(&directory, "acme.desk.example").id;
    let other = production(&directory, "other.desk.example").id;
    let nobody: AccountId = "0".repeat(32).parse().unwrap();
    let nothing: ConnectorId = "0".repeat(32).parse().unwrap();
    let connector = verified(&directory, acme, "acme.example").id;
    let outbound = Claim {
        kind: ConnectorKind::OutboundOnly,
        ..claim(acme, "out.example")
    };
    let outbound = directory.add_connector(outbound).unwrap().id;
    let theirs = directory
        .add_connector(claim(other, "acme.example"))
        .unwrap()
        .id;
    directory
        .add_address(acme, address("help@acme.example"))
        .unwrap();
    let default = address("default@acme.desk.example");
    directory.add_address(acme, default.clone()).unwrap();
    let made = directory.set_default_address(acme, None, Some(default));
    made.unwrap();
    let submission = |account| Grant::Submission { account };
    let issued = directory.issue(submission(acme), true).unwrap().credential;
    let (one, two) = (acme.min(other), acme.max(other));
    let ids = [
        (acme.to_string(), "ACME"),
        (other.to_string(), "OTHER"),
        (nobody.to_string(), "NONE"),
        (connector.to_string(), "CONNECTOR"),
        (theirs.to_string(), "THEIRS"),
        (outbound.to_string(), "OUTBOUND"),
        (issued.user_name.to_string(), "USER"),
    ];
    let entry = |text: &str| text.parse::<PartnerEntry>().unwrap();
    let before = view(&directory);
    macro_rules! refused {
        ($($words:literal: $change:ident($($request:tt)*);)*) => {
            $(refused(directory.$change($($request)*), &ids, $words);)*
        };
    }
    let production = |native| profile(AccountKind::Production, native);
    let user = UserName::new("in-nobody");
    let every = Duration::from_secs(60);
    let no_entry = |_: &[ForwarderMark]| unreachable!("nothing is learnt");
    refused! {
        "the domain acme.desk.example already belongs to account ACME; a domain":
            add_account(production("acme.desk.example"));
        "the domain acme.example already belongs to account ACME; a domain":
            add_account(production("ACME.example"));
        "the domain reserved.desk.example already belongs to account site of the configuration":
            add_account(production("reserved.desk.example"));
        "there is no account NONE; `gatepost account list`": remove_account(nobody);
        "account ACME still has credentials: remove": remove_account(acme);
        "account OTHER still has connectors: remove": remove_account(other);
        "there is no account NONE": set_policy(nobody, "loop-guard", None);

        "there is no account NONE": add_connector(claim(nobody, "new.example"));
        "the domain other.desk.example already belongs to account OTHER":
            add_connector(claim(acme, "other.desk.example"));
        "account ACME has connected acme.example already":
            add_connector(claim(acme, "Acme.example"));
        "account ACME has 2 connected domains, as many": add_connector(claim(acme, "new.example"));
        "there is no connector NONE; `gatepost connector list`": verify_connector(nothing);
        "the domain acme.example already belongs to account ACME": verify_connector(theirs);
        "there is no connector NONE": vouch_outbound(nothing);
        "the domain acme.example already belongs to account ACME": vouch_outbound(theirs);
        "there is no connector NONE": disconnect_connector(nothing, QueuedMail::Hold);
        "the connector OUTBOUND is only claimed": disconnect_connector(outbound, QueuedMail::Hold);
        "there is no connector NONE": reconnect_connector(nothing);
        "the connector OUTBOUND is only claimed": reconnect_connector(outbound);
        "there is no address help@new.example":
            disconnect_address(acme, &address("help@new.example"), QueuedMail::Hold);
        "there is no account NONE": hold_account(nobody, None);
        "there is no account NONE": release_account(nobody);
        "there is no connector NONE": set_forwarders(nothing, Default::default());
        "there is no connector NONE": remove_connector(nothing);
        "connector CONNECTOR still has support addresses": remove_connector(connector);

        "there is no account NONE": add_address(nobody, address("help@acme.example"));
        "the address help@new.example is in no domain of account ACME":
            add_address(acme, address("help@new.example"));
        "the address help@other.desk.example is in no domain of account ACME":
            add_address(acme, address("help@other.desk.example"));
        "the address help@[192.0.2.1] is in no domain":
            add_address(acme, address("help@[192.0.2.1]"));
        "the address HELP@acme.example already belongs to account ACME":
            add_address(acme, address("HELP@acme.example"));
        "the address help@acme.example already belongs to account ACME":
            add_address(other, address("help@acme.example"));
        "there is no account NONE": set_default_address(nobody, None, None);
        "account ACME has no brand Shop":
            set_default_address(acme, Some("Shop".parse().unwrap()), None);
        "there is no account NONE": change_profile(nobody, ProfileChange::default());
        "account ACME has no brand Shop":
            change_profile(acme, ProfileChange {
                remove_brands: vec!["Shop".parse().unwrap()],
                ..ProfileChange::default()
            });
        "an account has 100 brands at most":
            change_profile(acme, ProfileChange {
                add_brands: (0..101).map(|of| format!("Brand {of}").parse().unwrap()).collect(),
                ..ProfileChange::default()
            });
        "account ACME has no brand Shop":
            set_address_brand(acme, &address("help@acme.example"), Some("Shop".parse().unwrap()));
        "there is no address ann@acme.desk.example":
            set_address_brand(acme, &address("ann@acme.desk.example"), None);
        "there is no address ann@acme.desk.example":
            set_default_address(acme, None, Some(address("ann@acme.desk.example")));
        "help@acme.example is in a connected domain: a default address":
            set_default_address(acme, None, Some(address("help@acme.example")));
        "DEFAULT@acme.desk.example is a default address of account ACME":
            remove_address(acme, &address("DEFAULT@acme.desk.example"));
        "there is no connector NONE": set_connector_kind(nothing, ConnectorKind::TwoWay);
        "there is no connector NONE": learn_forwarders(nothing, Vec::new(), no_entry);
        "there is no connector NONE": forget_forwarders(nothing, None);
        "the domain acme.example has 1 support addresses, as many":
            add_address(acme, address("sales@acme.example"));
        "there is no address help@new.example; `gatepost address list`":
            remove_address(acme, &address("help@new.example"));
        "there is no address help@acme.example":
            remove_address(nobody, &address("help@acme.example"));
        "there is no address help@[192.0.2.1]": remove_address(acme, &address("help@[192.0.2.1]"));

        "there is no account NONE": issue(submission(nobody), false);
        "there is no connector NONE": issue(Grant::Inbound { connector: nothing }, false);
        "the connector OUTBOUND is not two-way":
            issue(Grant::Inbound { connector: outbound }, false);
        "1 credentials are live for this already": issue(submission(acme), true);
        "the alias acme@acme.desk.example is given to credential USER":
            issue(Grant::Inbound { connector }, true);
        "there is no credential in-nobody; `gatepost credential list`": cancel(&user);
        "there is no credential in-nobody": retire(&user, true);
        "there is no credential in-nobody": rotate(&user);
        "1 credentials are live for this already": rotate(&issued.user_name);
        "there is no credential in-nobody": remove_credential(&user);

        "account ACME cannot share with itself": add_agreement(acme, acme);
        "account NONE cannot share with itself": add_agreement(nobody, nobody);
        "there is no account NONE": add_agreement(acme, nobody);

        "there is no account NONE": add_partner(nobody, &entry("ann@partner.example"));
        "help@acme.example is account ACME's own": add_partner(acme, &entry("help@acme.example"));
        "@acme.desk.example is account ACME's own": add_partner(acme, &entry("@acme.desk.example"));
        "there is no account NONE": remove_partner(nobody, &entry("ann@partner.example"));
        "account ACME has not added or imported ann@partner.example; `gatepost partner list`":
            remove_partner(acme, &entry("ann@partner.example"));
        "there is no account NONE": remove_partner_list(nobody, &PartnerSource::ByHand);
        "account ACME has no entries by the import crm":
            remove_partner_list(acme, &PartnerSource::Import("crm".to_owned()));
        "there is no account NONE": begin_import(nobody);
        "there is no account NONE": set_feed(nobody, "https://lists.example/", every, false);
        "there is no feed 7; `gatepost feed list`": feed_tried(7, Fetched::Unchanged, Millis(1));
    }
    let import = directory.begin_import(acme).unwrap();
    directory.abandon_import(import).unwrap();
    let ended = "this import is not known any more";
    refused(directory.add_to_import(import, &[]), &ids, ended);
    refused(
        directory.finish_import(import, acme, "crm", false),
        &ids,
        ended,
    );
    let gone = directory.finish_import(import, nobody, "crm", false);
    refused(gone, &ids, "there is no account NONE");
    assert_eq!(view(&directory), before);

    let none = format!("accounts {one} and {two} have no sharing agreement;");
    refused(directory.remove_agreement(other, acme), &[], &none);
    directory.add_agreement(other, acme).unwrap();
    let twice = format!("accounts {one} and {two} have a sharing agreement already");
    refused(directory.add_agreement(acme, other), &[], &twice);
    let shared = directory.remove_partner(other, &entry("help@acme.example"));
    let words = "account OTHER has not added or imported help@acme.example; it is a partner by the \
        sharing agreement with account ACME: change that";
    refused(shared, &ids, words);
}

/// Returns all that operators see of a directory.
fn view(directory: &Directory) -> String {
    let view = directory.view();
    let accounts: Vec<_> = view.accounts().collect();
    let connectors = accounts.iter().map(|account| view.connectors(account.id));
    let connectors: Vec<_> = connectors.collect();
    let addresses = directory.addresses().unwrap();
    let credentials = directory.credentials().unwrap();
    let lists: Vec<_> = view.partner_lists().collect();
    format!("{accounts:?} {connectors:?} {addresses:?} {credentials:?} {lists:?}")
}
