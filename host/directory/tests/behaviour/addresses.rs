//! Forwarding targets, default addresses, the names in which addresses leave, and who is learnt to
//! forward.

use crate::common;

use common::{address, claim, open, production, settings, verified};
use gatepost_directory::{
    AuditEntry, AuditQuery, Claim, ConnectorKind, DefaultReason, Directory, ForwarderMark,
    Forwarders, OutboundWay, Probe, ProbeId, ProbeKind, QueuedMail, Recipient, Verification,
};
use gatepost_message::{Millis, TransactionId};

const HELP: &str = "help@acme.example";

#[test]
fn a_forwarding_target_belongs_to_its_support_address() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    production(&directory, "other.desk.example");
    let connector = verified(&directory, acme, "acme.example").id;
    let help = directory.add_address(acme, address(HELP)).unwrap();
    let native = directory.add_address(acme, address("help@acme.desk.example"));
    assert_eq!(native.unwrap().details.forwarding, None);

    let view = directory.view();
    let target = view.target_of(&help).unwrap();
    for written in [target.to_string(), target.to_string().to_uppercase()] {
        let of = view.target(&address(&written)).unwrap();
        assert_eq!(of.address, address(HELP));
    }
    let Recipient::Of(destination) = view.recipient(&target) else {
        panic!("{target} is nobody's");
    };
    assert_eq!(destination.connector, Some(connector));
    // In the native domain of another account it is nobody's, and so is another token.
    let elsewhere = format!("{}@other.desk.example", target.local());
    assert_eq!(view.recipient(&address(&elsewhere)), Recipient::Unknown);
    let other = "f-aaaaaaaaaaaaaaaa@acme.desk.example";
    assert_eq!(view.recipient(&address(other)), Recipient::Unknown);

    drop(view);
    drop(directory);
    let directory = open(folder.path());
    let view = directory.view();
    assert_eq!(view.target(&target).unwrap().address, address(HELP));
    directory.remove_address(acme, &address(HELP)).unwrap();
    assert_eq!(directory.view().recipient(&target), Recipient::Unknown);
}

#[test]
fn addresses_of_an_earlier_version_get_their_targets_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    verified(&directory, acme, "acme.example");
    directory.add_address(acme, address(HELP)).unwrap();
    let without = |details: &mut gatepost_directory::AddressDetails| details.forwarding = None;
    let before = directory.change_address(acme, &address(HELP), without);
    assert_eq!(directory.view().target_of(&before.unwrap()), None);
    drop(directory);
    let directory = open(folder.path());
    let help = directory.addresses().unwrap().remove(0);
    assert!(help.details.forwarding.is_some(), "{help:?}");
    drop(directory);
    // Once given, it stays.
    assert_eq!(open(folder.path()).addresses().unwrap(), [help]);
}

/// Returns the way by which help@acme.example leaves.
fn way(directory: &Directory) -> Option<OutboundWay> {
    let view = directory.view();
    let account = view.accounts().next().unwrap().id;
    view.outbound_way(account, &address(HELP))
}

fn becomes(directory: &Directory, outbound: Verification) {
    let account = directory.view().accounts().next().unwrap().id;
    let changed = directory.change_address(account, &address(HELP), |of| of.outbound = outbound);
    changed.unwrap();
}

fn failed(reason: &str) -> Verification {
    Verification::Failed {
        at: Millis(2),
        reason: reason.to_owned(),
        words: String::new(),
        refuses: None,
    }
}

#[test]
fn an_address_leaves_by_a_way_that_is_proved() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let forwarded = Claim {
        kind: ConnectorKind::Forwarded,
        ..claim(acme, "acme.example")
    };
    let id = directory.add_connector(forwarded).unwrap().id;
    directory.verify_connector(id).unwrap();
    directory.add_address(acme, address(HELP)).unwrap();
    assert_eq!(way(&directory), Some(OutboundWay::DefaultRoute));

    directory
        .set_connector_kind(id, ConnectorKind::TwoWay)
        .unwrap();
    assert_eq!(
        way(&directory),
        Some(OutboundWay::DefaultRoute),
        "not proved"
    );
    becomes(&directory, Verification::Verified { at: Millis(1) });
    assert_eq!(way(&directory), Some(OutboundWay::Connection));
    for silence in [
        Verification::Pending { since: Millis(1) },
        failed("never-returned"),
    ] {
        becomes(&directory, silence);
        assert_eq!(way(&directory), Some(OutboundWay::Connection));
    }
    becomes(&directory, failed("sender-not-allowed"));
    let refused = OutboundWay::FromDefault(DefaultReason::Refused);
    assert_eq!(way(&directory), Some(refused));
    // The smart host does not matter to a domain that only forwards.
    directory
        .set_connector_kind(id, ConnectorKind::Forwarded)
        .unwrap();
    assert_eq!(way(&directory), Some(OutboundWay::DefaultRoute));
    let vouched = directory.vouch_outbound(id).unwrap_err().to_string();
    assert!(
        vouched.contains("is forwarded: its mail leaves by the default route"),
        "{vouched}"
    );
    directory
        .disconnect_connector(id, QueuedMail::Hold)
        .unwrap();
    let disconnected = OutboundWay::FromDefault(DefaultReason::Disconnected);
    assert_eq!(way(&directory), Some(disconnected));
}

#[test]
fn a_new_domain_leaves_through_its_server_once_that_is_proved_or_vouched_for() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let outbound_only = Claim {
        kind: ConnectorKind::OutboundOnly,
        ..claim(acme, "acme.example")
    };
    let id = directory.add_connector(outbound_only).unwrap().id;
    directory.verify_connector(id).unwrap();
    directory.add_address(acme, address(HELP)).unwrap();
    let stranger = address("somebody@acme.example");
    let of_stranger = || directory.view().outbound_way(acme, &stranger);
    assert_eq!(way(&directory), Some(OutboundWay::DefaultRoute));
    assert_eq!(of_stranger(), Some(OutboundWay::DefaultRoute));

    directory.vouch_outbound(id).unwrap();
    assert_eq!(way(&directory), Some(OutboundWay::Vouched));
    assert_eq!(of_stranger(), Some(OutboundWay::Vouched));
    // A probe that is lost changes nothing; a refusal after the word of the operator does.
    becomes(&directory, failed("never-returned"));
    assert_eq!(way(&directory), Some(OutboundWay::Vouched));
    let refusal = Verification::Failed {
        at: Millis::now() + std::time::Duration::from_secs(60),
        reason: "sender-not-allowed".to_owned(),
        words: String::new(),
        refuses: None,
    };
    becomes(&directory, refusal);
    let refused = OutboundWay::FromDefault(DefaultReason::Refused);
    assert_eq!(way(&directory), Some(refused));
    // The word that is given again says more than a refusal of before.
    becomes(&directory, failed("sender-not-allowed"));
    assert_eq!(way(&directory), Some(OutboundWay::Vouched));
    becomes(&directory, Verification::Verified { at: Millis(3) });
    assert_eq!(way(&directory), Some(OutboundWay::Vouched));
    drop(directory);
    let directory = open(folder.path());
    assert_eq!(way(&directory), Some(OutboundWay::Vouched));
}

#[test]
fn addresses_that_leave_today_go_on_when_verification_begins() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let id = verified(&directory, acme, "acme.example").id;
    directory.add_address(acme, address(HELP)).unwrap();
    drop(directory);
    // An earlier version kept nothing of verification.
    let file = rusqlite::Connection::open(settings(folder.path()).path).unwrap();
    let forgotten = file.execute("UPDATE connectors SET details_json = '{}'", []);
    assert_eq!(forgotten.unwrap(), 1);
    drop(file);
    let directory = open(folder.path());
    assert_eq!(way(&directory), None);
    directory.begin_verification(id).unwrap();
    assert_eq!(way(&directory), Some(OutboundWay::Connection));
    // What is added later has to be proved.
    let later = address("later@acme.example");
    directory.add_address(acme, later.clone()).unwrap();
    let view = directory.view();
    assert_eq!(
        view.outbound_way(acme, &later),
        Some(OutboundWay::DefaultRoute)
    );
    directory.begin_verification(id).unwrap();
    let view = directory.view();
    assert_eq!(
        view.outbound_way(acme, &later),
        Some(OutboundWay::DefaultRoute)
    );
}

#[test]
fn each_message_from_the_default_address_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    verified(&directory, acme, "acme.example");
    directory.add_address(acme, address(HELP)).unwrap();
    let (one, two) = (TransactionId::new(), TransactionId::new());
    let help = address("Help+42@acme.example");
    for message in [one, two, one] {
        directory.record_departure(acme, &help, message, Some(DefaultReason::Unproved));
    }
    // Closing writes what is pending.
    drop(directory);
    let directory = open(folder.path());
    let left = || {
        let help = directory.addresses().unwrap().remove(0);
        help.details.leaves_from_default
    };
    let before = left().unwrap();
    assert_eq!(
        (before.messages, before.reason),
        (2, DefaultReason::Unproved)
    );
    directory.record_departure(
        acme,
        &help,
        TransactionId::new(),
        Some(DefaultReason::Broken),
    );
    drop(directory);
    let directory = open(folder.path());
    let left = || {
        let help = directory.addresses().unwrap().remove(0);
        help.details.leaves_from_default
    };
    let after = left().unwrap();
    assert_eq!((after.messages, after.reason), (3, DefaultReason::Broken));
    assert_eq!(after.since, before.since);
    directory.record_departure(acme, &help, TransactionId::new(), None);
    drop(directory);
    let directory = open(folder.path());
    let help = directory.addresses().unwrap().remove(0);
    assert_eq!(help.details.leaves_from_default, None);
}

#[test]
fn a_default_address_is_that_of_the_brand_or_of_the_account() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let profile = gatepost_directory::Profile {
        brands: vec!["Shop".parse().unwrap()],
        ..common::profile(
            gatepost_directory::AccountKind::Production,
            "acme.desk.example",
        )
    };
    let acme = directory.add_account(profile).unwrap().id;
    verified(&directory, acme, "acme.example");
    let shop: gatepost_directory::Name = "Shop".parse().unwrap();
    directory.add_address(acme, address(HELP)).unwrap();
    let of_shop = address("shop@acme.example");
    let added = directory.add_address_of_brand(acme, of_shop.clone(), Some(shop.clone()));
    added.unwrap();
    let natives = ["help", "shop"].map(|local| address(&format!("{local}@acme.desk.example")));
    for native in &natives {
        directory.add_address(acme, native.clone()).unwrap();
    }
    let default = |author: &str| {
        let view = directory.view();
        view.default_address(acme, &address(author)).cloned()
    };
    assert_eq!(default("shop@acme.example"), None);
    let [help, shops] = natives;
    directory
        .set_default_address(acme, None, Some(help.clone()))
        .unwrap();
    assert_eq!(default("shop@acme.example"), Some(help.clone()));
    directory
        .set_default_address(acme, Some(shop.clone()), Some(shops.clone()))
        .unwrap();
    assert_eq!(default("shop@acme.example"), Some(shops));
    assert_eq!(default(HELP), Some(help.clone()));
    directory
        .set_default_address(acme, Some(shop), None)
        .unwrap();
    assert_eq!(default("shop@acme.example"), Some(help));
}

#[test]
fn few_forwarders_are_learnt_and_none_that_our_own_mail_bears() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    let id = verified(&directory, acme, "acme.example").id;
    let domain = |text: &str| ForwarderMark::DkimDomain(text.parse().unwrap());
    let entry = |new: &[ForwarderMark]| AuditEntry {
        at: Millis(7),
        account: Some(acme.to_string()),
        actor: "gatepost".to_owned(),
        origin: None,
        action: "forwarder-learnt".to_owned(),
        subject: "acme.example".to_owned(),
        detail: Some(format!("{}", new.len())),
    };
    let learn = |mark| {
        let new = directory.learn_forwarders(id, vec![mark], entry).unwrap();
        !new.is_empty()
    };
    assert!(learn(domain("relay.example")));
    assert!(!learn(domain("relay.example")), "it is known");
    assert!(
        !learn(domain("acme.desk.example")),
        "the relay signs with it"
    );
    assert!(learn(ForwarderMark::of_client(
        "2001:db8::7".parse().unwrap()
    )));
    let learnt = || {
        let connector = directory.view().connectors(acme)[0].clone();
        assert!(connector.forwarders.is_empty(), "the operator has set none");
        connector.details.learnt_forwarders
    };
    assert_eq!(learnt().networks, ["2001:db8::/64".parse().unwrap()]);
    let all = (0..40).map(|number| learn(domain(&format!("d{number}.example"))));
    assert_eq!(all.filter(|new| *new).count(), 19);
    // Each that was new is in the audit log.
    let query = AuditQuery {
        account: None,
        before: None,
        limit: 100,
    };
    assert_eq!(directory.audit(&query).unwrap().len(), 21);

    let networks = Forwarders {
        networks: learnt().networks,
        ..Forwarders::default()
    };
    directory.forget_forwarders(id, Some(&networks)).unwrap();
    assert_eq!(learnt().networks, []);
    assert_eq!(learnt().dkim_domains.len(), 20);
    // What the operator has set is not learnt.
    directory.set_forwarders(id, networks.clone()).unwrap();
    let network = ForwarderMark::Network(networks.networks[0]);
    let new = directory.learn_forwarders(id, vec![network], entry);
    assert_eq!(new.unwrap(), []);
    directory.forget_forwarders(id, None).unwrap();
    let connector = directory.view().connectors(acme)[0].clone();
    assert!(connector.details.learnt_forwarders.is_empty());
    assert_eq!(connector.forwarders, networks);
}

#[test]
fn a_probe_that_passes_proves_the_way_out_and_one_that_is_refused_ends_the_proof() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    let acme = production(&directory, "acme.desk.example").id;
    verified(&directory, acme, "acme.example");
    directory.add_address(acme, address(HELP)).unwrap();
    let settled = |outbound: Verification| {
        let probe = Probe {
            id: ProbeId::random().unwrap(),
            account: acme,
            address: address(HELP),
            kind: ProbeKind::Outbound,
            sent: Millis(1),
            expires: Millis(9),
            transaction: None,
            record: serde_json::Value::Null,
        };
        let id = probe.id.clone();
        directory.begin_probe(probe, |_| ()).unwrap();
        let taken = directory.settle_probe(&id, |_, details| {
            details.outbound = outbound;
            None
        });
        assert!(taken.unwrap().is_some());
        let view = directory.view();
        view.address(acme, &address(HELP))
            .unwrap()
            .details
            .outbound_proved
    };
    let passed = Verification::Verified { at: Millis(5) };
    assert_eq!(settled(passed), Some(Millis(5)));
    assert_eq!(settled(failed("sender-not-allowed")), None);
}
