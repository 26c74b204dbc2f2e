//! Mail of another account waits: no account can name the connection of another.

use super::{ALL_BY_CONNECTION, Site};
use crate::waits;

#[test]
fn mail_of_another_account_never_leaves_through_the_connection() {
    let site = Site::start(ALL_BY_CONNECTION);
    site.assert_carries_own_mail(&site.user("acme.desk.test"));
    site.account("other.desk.test", &["other.test"]);
    let user = site.user("other.desk.test");
    let id = site.submit(&user, "help@other.test", "help@other.test");
    waits(
        &site.relay,
        &id,
        "451 4.3.5 the relay has no way connection smart",
    );
    site.assert_nothing_left();
}

/// Nor by the sender's address: it serves only senders of its account.
#[test]
fn mail_of_an_account_of_the_configuration_never_leaves_through_the_connection() {
    let site = Site::start(r#"{ by = "connection-of-sender" }"#);
    site.assert_carries_own_mail(&site.user("acme.desk.test"));
    let id = crate::submitted(&site.relay, &["x@b.example"], crate::MESSAGE);
    waits(
        &site.relay,
        &id,
        "451 4.3.5 the relay has no way connection of ann@sender.example",
    );
    site.assert_nothing_left();
}
