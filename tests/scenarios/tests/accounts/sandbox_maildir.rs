//! A sandbox with a Maildir sends to its test users, and all other mail goes into the Maildir.

use std::fs;

use crate::{NATIVE, Site};

#[test]
fn a_sandbox_with_a_maildir_puts_the_mail_of_others_there() {
    let site = Site::start(&["--kind", "sandbox", "--test-user", "ann@user.test"]);
    let refused = site
        .relay
        .refuses(&["account", "set-sandbox", NATIVE, "--maildir", "none"]);
    assert!(refused.contains("no [maildir.none]"), "{refused}");
    let set = ["account", "set-sandbox", NATIVE, "--maildir", "trials"];
    let shown = site.relay.json(&set).remove(0);
    assert_eq!(shown["sandbox"]["maildir"], "trials", "{shown}");
    assert_eq!(shown["sandbox"]["test-users"][0], "ann@user.test");

    site.submit(&["ann@user.test", "bob@world.test"], "to both");
    assert_eq!(site.world.take().to, ["ann@user.test"]);
    let new = site.relay.directory().join("trials/new");
    let letter = site.relay.eventually("the letter", |_| {
        let mut letters = fs::read_dir(&new).ok()?;
        letters.next()?.ok()
    });
    let letter = fs::read_to_string(letter.path()).unwrap();
    assert!(letter.contains("Subject: to both"), "{letter}");
    assert!(letter.contains("bob@world.test"), "{letter}");
    assert!(!letter.contains("ann@user.test"), "{letter}");
    site.ends();
}
