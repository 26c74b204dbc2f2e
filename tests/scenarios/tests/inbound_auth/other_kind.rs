//! A credential for relaying does not submit, and one for submission does not relay. The reply is
//! the same as for an unknown user.

use test_support::Scram;

use crate::{Site, author};

#[test]
fn credentials_of_one_kind_do_not_serve_as_another() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    let id = site.connect("two-way");
    let (relays, relays_by) = site.credential(&["--inbound", &id]);
    let (submits, submits_by) = site.credential(&["--submission", "acme.desk.test"]);
    let on = |listener: &str, user: &str, secret: &str| {
        let mut client = site.relay.client(listener);
        client.ehlo();
        client.starttls();
        let by_scram = client.scram("SCRAM-SHA-256", &mut Scram::new(user, secret));
        let by_plain = match by_scram.code {
            235 => by_scram.clone(),
            _ => client.plain(user, secret),
        };
        assert_eq!(by_plain, by_scram);
        by_scram
    };
    let unknown = on("mx", "in-nobody", &relays_by);
    assert_eq!((unknown.code, unknown.enhanced()), (535, Some("5.7.8")));
    assert_eq!(on("mx", &submits, &submits_by), unknown);
    assert_eq!(on("submission", &relays, &relays_by), unknown);
    assert_eq!(on("mx", &relays, &submits_by), unknown);
    assert_eq!(on("mx", &relays, &relays_by).code, 235);
    assert_eq!(on("submission", &submits, &submits_by).code, 235);
    // A user of the configuration submits and does nothing else.
    assert_eq!(on("mx", "user", "secret"), unknown);
    assert_eq!(on("submission", "user", "secret").code, 235);
    site.ends();
}

/// A salt is the same wherever it is asked for, be there such a user or not.
#[test]
fn a_salt_does_not_reveal_whether_a_user_exists() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    let (submits, _) = site.credential(&["--submission", "acme.desk.test"]);
    let salt = |listener: &str, user: &str| {
        let mut client = site.relay.client(listener);
        client.ehlo();
        client.starttls();
        let first = Scram::new(user, "").first();
        let reply = client.command(&format!("AUTH SCRAM-SHA-256 {first}"), 334);
        let challenge = crate::decoded(&reply.text());
        let (_, salt) = challenge.split_once(',').unwrap();
        salt.to_owned()
    };
    for user in [submits.as_str(), "user", "nobody"] {
        let salts = ["mx", "submission", "mx"].map(|listener| salt(listener, user));
        assert!(salts.iter().all(|other| *other == salts[0]), "{salts:?}");
    }
    assert_ne!(salt("mx", "nobody"), salt("mx", "nobody2"));

    // The alias of a credential is found however it is spelled; so is one that is none.
    let id = site.connect("two-way");
    site.credential(&["--inbound", &id, "--alias"]);
    for alias in ["acme@acme.desk.test", "nobody@acme.desk.test"] {
        let spelled = [alias, &alias.to_uppercase(), &alias.replace("desk", "DESK")];
        let salts = spelled.map(|user| salt("mx", user));
        assert!(salts.iter().all(|other| *other == salts[0]), "{salts:?}");
    }
    site.ends();
}
