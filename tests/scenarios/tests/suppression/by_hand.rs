//! An operator puts addresses on a list and takes them off, with a running relay and without one.

use crate::{list, relay, submit};

#[test]
fn an_operator_changes_a_list() {
    let (builder, sink) = relay("");
    let mut relay = builder.start();
    let bob = "bob@elsewhere.example";
    relay.json(&["suppression", "add", "acme", "Bob@Elsewhere.example"]);
    relay.json(&[
        "suppression",
        "add",
        "acme",
        "eve@elsewhere.example",
        "--reason",
        "asked us",
    ]);
    assert_eq!(submit(&relay, bob).code, 550);
    let nobody = ["suppression", "add", "nobody", bob];
    assert!(relay.refuses(&nobody).contains("nobody"));
    assert!(relay.terminate().success());
    assert!(relay.refuses(&nobody).contains("nobody"));

    let page = relay.json(&["suppression", "list", "acme", "--limit", "1"]);
    assert_eq!(page[0]["address"], bob);
    let page = relay.json(&[
        "suppression",
        "list",
        "--after",
        bob,
        "--after-account",
        "acme",
    ]);
    assert_eq!(page.len(), 1, "{page:?}");
    assert_eq!(page[0]["cause"], "operator");
    assert_eq!(page[0]["evidence"], "asked us");
    let shown = relay.command(&["suppression", "list"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(bob) && shown.contains("asked us"), "{shown}");
    relay.json(&["suppression", "remove", "acme", bob]);
    let removed = relay.command(&["suppression", "remove", "acme", bob]);
    assert_eq!(removed.status.code(), Some(1));

    relay.restart();
    assert_eq!(submit(&relay, bob).code, 250);
    assert_eq!(sink.take().to, [bob]);
    assert_eq!(submit(&relay, "eve@elsewhere.example").code, 550);
    assert_eq!(list(&relay).len(), 1);
    relay.leaves_nothing(sink);
}
