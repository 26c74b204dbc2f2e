//! A domain that another account has claimed is warned of, and an address that several accounts have
//! is asked about with their names.

use crate::setup::{asked, desk, set_up};

#[test]
fn the_other_account_is_named() {
    let desk = desk();
    let set_up_for = |account: &str| {
        let account = ["--yes", "--account", account, "--product", "Acme"];
        let domain = ["--domain", "customer.test", "--kind", "forwarded"];
        let address = ["--address", "help@customer.test"];
        set_up(&desk, &[&account[..], &domain, &address].concat(), &[])
    };
    set_up_for("a.desk.test");
    let said = asked(&set_up_for("b.desk.test"));
    assert!(
        said.contains("warning: the account a.desk.test has connected customer.test"),
        "{said}"
    );
    let refused = desk
        .relay
        .refuses(&["connector", "verify", "help@customer.test"]);
    let advice = "name one with --account (";
    assert!(refused.contains(advice), "{refused}");
    for account in ["a.desk.test", "b.desk.test"] {
        assert!(refused.contains(account), "{refused}");
    }
    let refused = desk
        .relay
        .refuses(&["connector", "progress", "customer.test"]);
    for listed in desk.relay.json(&["connector", "list"]) {
        let id = listed["id"].as_str().unwrap();
        assert!(refused.contains(id), "{id}: {refused}");
    }
    // Nothing of an address leaves whose domain nobody has shown to be the account's.
    let shown = desk
        .relay
        .command(&["address", "show", "help@customer.test"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(shown.matches("not at all: ").count(), 2, "{shown}");
    desk.relay.leaves_nothing(desk.sink);
}
