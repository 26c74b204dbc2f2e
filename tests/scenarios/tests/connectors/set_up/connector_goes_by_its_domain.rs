//! Every command takes a connector by its domain, and lists show accounts by their native domains.

use crate::setup::{desk, printed, set_up};

#[test]
fn commands_take_the_domain_in_place_of_the_id() {
    let desk = desk();
    let options = [
        "--yes",
        "--account",
        "acme.desk.test",
        "--product",
        "Acme",
        "--vouch",
    ];
    let domain = ["--domain", "customer.test", "--kind", "two-way"];
    set_up(&desk, &[&options[..], &domain].concat(), &[]);
    for command in [
        &["connector", "show"][..],
        &["connector", "list", "--account", "acme.desk.test"],
    ] {
        let of = if command.len() == 2 {
            &["customer.test"][..]
        } else {
            &[]
        };
        let shown = printed(&desk.relay.command(&[command, of].concat()));
        assert!(shown.contains("acme.desk.test ("), "{shown}");
    }
    let progress = desk
        .relay
        .command(&["connector", "progress", "Customer.test."]);
    assert!(printed(&progress).contains("log-in"), "{progress:?}");
    for command in ["disconnect", "reconnect", "forget-forwarders"] {
        let all: &[&str] = if command == "forget-forwarders" {
            &["--all"]
        } else {
            &[]
        };
        let done = [&["connector", command, "customer.test"][..], all].concat();
        desk.relay.json(&done);
    }
    desk.relay
        .json(&["connector", "set-kind", "customer.test", "forwarded"]);
    desk.relay
        .json(&["connector", "instructions", "customer.test"]);
    let unknown = desk.relay.refuses(&["connector", "show", "other.test"]);
    assert!(
        unknown.contains("there is no connector other.test"),
        "{unknown}"
    );

    // What a connector owns is removed by the commands that the refusal names.
    let refused = desk
        .relay
        .refuses(&["connector", "remove", "customer.test"]);
    let command = refused
        .split('`')
        .find(|part| part.starts_with("gatepost credential remove"));
    let user = command.unwrap().split(' ').nth(3).unwrap().to_owned();
    desk.relay.json(&["credential", "remove", &user]);
    desk.relay.json(&["connector", "remove", "customer.test"]);
    desk.relay.leaves_nothing(desk.sink);
}
