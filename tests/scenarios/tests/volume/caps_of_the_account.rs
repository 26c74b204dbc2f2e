//! Caps are set for an account, its domain or its credential while the relay runs, in place of the
//! site's, for accounts of the directory and of the configuration.

use test_support::Sink;

use crate::{Credential, account, builder};

#[test]
fn caps_of_an_account_go_before_those_of_the_site() {
    let sink = Sink::start();
    let caps = "[caps]\naccount = { messages-a-day = 1 }";
    let usual = builder(&sink);
    let relay = usual.clone().with(caps).start();
    let acme = account(&relay, "acme.desk.test");
    let own = Credential::issue(&relay, "acme.desk.test");
    assert_eq!(own.submit(&relay, "a@world.example").code, 250);
    assert_eq!(own.submit(&relay, "a@world.example").code, 451);

    let set = relay.json(&["account", "caps", &acme, "--messages-a-day", "2"]);
    assert_eq!(set[0]["volume"][0]["caps"]["messages-a-day"], 2);
    assert_eq!(own.submit(&relay, "a@world.example").code, 250);
    assert_eq!(own.submit(&relay, "a@world.example").code, 451);

    // Without a bound, but for this credential.
    relay.json(&["account", "caps", &acme, "--messages-a-day", "unlimited"]);
    let of_credential = ["--credential", &own.user, "--recipients-an-hour", "3"];
    relay.json(&[&["account", "caps", &acme], &of_credential[..]].concat());
    assert_eq!(own.submit(&relay, "a@world.example").code, 250);
    assert_eq!(own.submit(&relay, "a@world.example").code, 451);
    let table = relay.command(&["account", "volume", &acme]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("3 of 3"), "{table}");

    // Back to the site's, which a reload has changed.
    let of_credential = ["--credential", &own.user, "--recipients-an-hour", "default"];
    relay.json(&[&["account", "caps", &acme], &of_credential[..]].concat());
    relay.json(&["account", "caps", &acme, "--messages-a-day", "default"]);
    assert_eq!(own.submit(&relay, "a@world.example").code, 451);
    let changed = relay.reloads(&usual.with("[caps]\naccount = { messages-a-day = 4 }"));
    let change = changed["changes"][0].clone();
    assert_eq!(change["key"], "caps.account.messages-a-day");
    assert_eq!((&change["old"], &change["new"]), (&1.into(), &4.into()));
    assert_eq!(own.submit(&relay, "a@world.example").code, 250);

    // A user of the configuration, who never may.
    relay.json(&[
        "account",
        "caps",
        "acme",
        "--credential",
        "user",
        "--messages-an-hour",
        "0",
    ]);
    let mut user = relay.client("submission").authenticated("user", "secret");
    let refused = user.command("MAIL FROM:<a@desk.example>", 550);
    assert_eq!(refused.enhanced(), Some("5.7.1"));
    assert!(
        refused
            .text()
            .contains("The credential user may send no messages")
    );
    let said = relay.refuses(&["account", "caps", "acme", "--credential", "nobody"]);
    assert!(said.contains("there is no credential nobody"), "{said}");
    let said = relay.refuses(&["account", "volume", "nobody"]);
    assert!(said.contains("there is no account nobody"), "{said}");
    for _ in 0..4 {
        sink.take();
    }
    relay.leaves_nothing(sink);
}
