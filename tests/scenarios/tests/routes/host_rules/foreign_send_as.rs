//! A plan cannot make mail leave in a name that is not the account's, by whatever way.

use super::Site;
use crate::waits;

#[test]
fn mail_never_leaves_in_a_foreign_name() {
    for by in [r#""mx""#, r#"{ connection = "smart" }"#] {
        let site = Site::start(&format!("{{ by = {by}, send-as = \"ceo@bank.test\" }}"));
        let user = site.user("acme.desk.test");
        let id = site.submit(&user, "help@customer.test", "help@customer.test");
        let reply = waits(&site.relay, &id, "451 4.7.1 ");
        assert!(
            reply.contains("bank.test is no domain of the account"),
            "{reply}"
        );
        site.assert_nothing_left();
    }
}

/// Nor in the name of another account of the relay.
#[test]
fn mail_never_leaves_in_the_name_of_another_account() {
    let site = Site::start(r#"{ by = "mx", send-as = "help@desk.example" }"#);
    let user = site.user("acme.desk.test");
    let id = site.submit(&user, "help@customer.test", "help@customer.test");
    waits(&site.relay, &id, "451 4.7.1 ");
    site.assert_nothing_left();
}
