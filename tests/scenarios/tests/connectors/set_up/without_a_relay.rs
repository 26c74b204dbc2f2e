//! Without a running relay the set-up works on the store, and says what that means.

use crate::setup::{asked, desk, printed, set_up};

#[test]
fn what_needs_a_relay_is_said() {
    let mut desk = desk();
    desk.relay.terminate();
    let options = [
        "--yes",
        "--account",
        "acme.desk.test",
        "--product",
        "Acme",
        "--vouch",
    ];
    let domain = [
        "--domain",
        "customer.test",
        "--kind",
        "two-way",
        "--wait",
        "5m",
    ];
    let server = [
        "--smart-host",
        "127.0.0.1",
        "--address",
        "help@customer.test",
    ];
    let output = set_up(&desk, &[&options[..], &domain, &server].concat(), &[]);
    let said = asked(&output);
    for part in [
        "no relay is running on the store ",
        "no connection is tested, no probe is sent and no link opens",
        "the link opens once `gatepost serve --config ",
        "nothing is waited for: no relay is running",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let printed = printed(&output);
    let user = printed
        .lines()
        .find_map(|line| line.strip_prefix("user name  "));
    let user = user.unwrap_or_else(|| panic!("{printed}"));
    let link = desk.relay.command(&["credential", "hand-over", user]);
    assert!(asked(&link).contains("the link opens once"), "{link:?}");

    // Commands that need a relay say the same of it.
    let test = [
        "connection",
        "test",
        "customer.test",
        "--account",
        "acme.desk.test",
    ];
    let verify = ["connector", "verify", "help@customer.test"];
    let [test, verify] = [&test[..], &verify].map(|command| desk.relay.refuses(command));
    assert_eq!(test, verify);
    assert!(test.contains("help: "), "{test}");
}
