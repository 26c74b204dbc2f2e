//! A sandbox sends to its test users, and nobody else: any other recipient is refused at RCPT, with
//! the reason, although the policy would send the mail on.

use crate::{NATIVE, Site};

#[test]
fn a_sandbox_sends_to_its_test_users_alone() {
    let site = Site::start(&["--kind", "sandbox", "--test-user", "ann@user.test"]);
    site.submit(&["Ann@user.test"], "one");
    assert_eq!(site.world.take().to, ["Ann@user.test"]);
    let replies = site.asked(&["ann@user.test", "bob@world.test", "help@desk.example"]);
    assert_eq!(replies[0].code, 250, "{replies:?}");
    for (reply, to) in replies[1..]
        .iter()
        .zip(["bob@world.test", "help@desk.example"])
    {
        assert_eq!((reply.code, reply.enhanced()), (550, Some("5.7.1")));
        let why = format!("The account is a sandbox, and <{to}> is none of its test users");
        assert!(reply.text().contains(&why), "{}", reply.text());
    }

    let user = ["account", "test-user"];
    let run = |verb: &str, more: &[&str]| {
        site.relay
            .json(&[&user[..], &[verb, NATIVE], more].concat())
    };
    run("add", &["bob@world.test"]);
    let listed: Vec<_> = run("list", &[])
        .iter()
        .map(|user| user["address"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, ["ann@user.test", "bob@world.test"]);
    // The first recipient is refused, and the second gets the message.
    run("remove", &["ann@user.test"]);
    let codes: Vec<_> = (site.asked(&["ann@user.test", "bob@world.test"]).iter())
        .map(|reply| reply.code)
        .collect();
    assert_eq!(codes, [550, 250]);
    site.submit(&["bob@world.test"], "two");
    assert_eq!(site.world.take().to, ["bob@world.test"]);

    // Of production there is no such list.
    site.relay.json(&["account", "set-production", NATIVE]);
    let refused = site
        .relay
        .refuses(&["account", "test-user", "add", NATIVE, "x@user.test"]);
    assert!(refused.contains("is for production"), "{refused}");
    site.submit(&["carl@world.test"], "three");
    assert_eq!(site.world.take().to, ["carl@world.test"]);
    site.ends();
}
