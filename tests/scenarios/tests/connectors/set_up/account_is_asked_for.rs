//! No account is added by mistake: a single label is refused, another name is asked about, and with
//! `--yes` the product has to be given.

use crate::setup::{asked, desk, printed, set_up};

#[test]
fn an_account_is_added_after_a_question_alone() {
    let desk = desk();
    let answers = ["acme", "acme.desk.tset", "", "acme.desk.test", "y", "Acme"];
    let output = set_up(&desk, &[], &answers);
    let questions = asked(&output);
    assert!(
        questions.contains("a single label is no native domain"),
        "{questions}"
    );
    assert!(
        questions.contains("there is no account acme.desk.tset yet"),
        "{questions}"
    );
    let accounts = desk.relay.json(&["account", "list"]);
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    assert_eq!(
        accounts[0]["native-domain"], "acme.desk.test",
        "{accounts:?}"
    );

    // The only account is the default; domains that are begun are listed.
    let output = set_up(&desk, &[], &["", "customer.test", "forwarded"]);
    assert!(
        printed(&output).contains("connected customer.test as forwarded"),
        "{output:?}"
    );
    let output = set_up(&desk, &["--product", "Other"], &["Acme.Desk.Test."]);
    let questions = asked(&output);
    assert!(
        questions.contains("domains that are begun: customer.test (claimed)"),
        "{questions}"
    );
    assert!(
        questions.contains("the product of acme.desk.test stays Acme"),
        "{questions}"
    );
    assert_eq!(desk.relay.json(&["account", "list"]).len(), 1);

    let unknown = [
        "--yes",
        "--account",
        "other.desk.test",
        "--domain",
        "a.test",
    ];
    let output = set_up(&desk, &unknown, &[]);
    assert!(asked(&output).contains("--product is needed"), "{output:?}");
    assert_eq!(desk.relay.json(&["account", "list"]).len(), 1);
    desk.relay.leaves_nothing(desk.sink);
}
