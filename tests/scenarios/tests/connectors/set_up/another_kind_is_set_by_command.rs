//! A domain that is connected as another kind is left, and the command that changes it is named.

use crate::setup::{asked, connectors, desk, set_up};

#[test]
fn the_advice_is_the_command_that_sets_the_kind() {
    let desk = desk();
    let options = ["--yes", "--account", "acme.desk.test", "--product", "Acme"];
    let domain = ["--domain", "customer.test", "--kind"];
    set_up(&desk, &[&options[..], &domain, &["two-way"]].concat(), &[]);
    let refused = asked(&set_up(
        &desk,
        &[&options[..], &domain, &["forwarded"]].concat(),
        &[],
    ));
    assert!(
        refused.contains("is connected as two-way already"),
        "{refused}"
    );
    assert!(
        refused.contains("gatepost connector set-kind "),
        "{refused}"
    );
    assert!(!refused.contains("remove the connector"), "{refused}");
    assert_eq!(connectors(&desk)[0]["kind"], "two-way");
    desk.relay.leaves_nothing(desk.sink);
}
