//! A rotation has two credentials that are both valid. The former one is retired when it is not used
//! any more; for a grace period its right secret is refused for now, and a wrong one for good.

use crate::{Credential, QUESTION, SUPPORT, Site};

#[test]
fn the_former_credential_is_asked_to_come_again_and_then_refused() {
    let site = Site::with("[directory]\ngrace = \"5s\"\nretire-unused = \"1h\"\n");
    let relay = &site.relay;
    let former = site.inbound();
    let rotated = relay
        .json(&["credential", "rotate", &former.user])
        .remove(0);
    assert_eq!(rotated["replaces"], former.user.as_str());
    let next = Credential::of(&rotated);
    for credential in [&former, &next] {
        let (mut client, reply) = credential.log_in(relay, "mx");
        assert_eq!(reply.code, 235);
        let reply = client.deliver("ann@author.example", &[SUPPORT], QUESTION);
        assert_eq!(reply.unwrap().code, 250);
        site.application.take();
        let shown = relay
            .json(&["credential", "show", &credential.user])
            .remove(0);
        assert_eq!(shown["accepted"]["messages-in-a-day"], 1, "{shown}");
        assert!(shown["last-used"].is_u64(), "{shown}");
    }
    let said = relay.refuses(&["credential", "rotate", &former.user]);
    assert!(said.contains("both live"), "{said}");
    let said = relay.refuses(&["credential", "rotate", &site.connector]);
    assert!(said.contains("2 credentials"), "{said}");

    // It is in use.
    let said = relay.refuses(&["credential", "retire", &former.user]);
    assert!(said.contains("was used on"), "{said}");
    let (mut open, _) = former.log_in(relay, "mx");
    let retire = ["credential", "retire", &former.user, "--force"];
    let retired = relay.json(&retire).remove(0);
    assert_eq!(retired["ended"]["how"], "retired");
    open.command("NOOP", 421);
    assert!(open.closed());

    let answer = || former.answer(relay, "mx");
    assert_eq!(answer(), (454, "4.7.0".to_owned()));
    let wrong = Credential {
        user: former.user.clone(),
        secret: format!("{}x", former.secret),
    };
    assert_eq!(wrong.answer(relay, "mx"), (535, "5.7.8".to_owned()));
    // The wrong listener is as for any credential.
    assert_eq!(former.answer(relay, "submission").0, 535);
    assert_eq!(next.answer(relay, "mx").0, 235);
    relay.eventually("the grace period is over", |_| {
        (answer().0 == 535).then_some(())
    });
    assert_eq!(answer(), (535, "5.7.8".to_owned()));
    let secrets = [&former.secret, &next.secret];
    let audit = format!("{:?}", relay.json(&["audit"]));
    assert!(secrets.iter().all(|secret| !audit.contains(*secret)));
    site.ends();
}

#[test]
fn the_credential_of_a_connector_is_rotated_by_its_id() {
    let site = Site::start();
    let former = site.inbound();
    let rotated = site.relay.json(&["credential", "rotate", &site.connector]);
    assert_eq!(rotated[0]["replaces"], former.user.as_str());
    // Nobody uses the former one: it can go at once.
    site.relay.json(&["credential", "retire", &former.user]);
    let notices = site.notices("credential");
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices[0].contains("is being rotated"), "{notices:?}");
    assert!(notices[1].contains("is retired"), "{notices:?}");
    assert_eq!(former.answer(&site.relay, "mx").0, 454);
    site.ends();
}
