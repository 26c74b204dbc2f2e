//! Only a token that may operate, of the account or the site, hands in a message.

use serde_json::{Value, json};

use super::{Desk, path, to_ann};
use crate::account;

#[test]
fn a_message_needs_a_token_of_its_account_that_may_operate() {
    let desk = Desk::start();
    let site = desk.relay.api_token("administer", &[]);
    let other = account(&desk.relay, &site, "other.desk.test");
    let of_other = desk.relay.api_token("administer", &["--account", &other]);
    let reads = desk.relay.api_token("read", &[]);
    let request = json!({ "message": to_ann("x") });
    let as_token = |token: &str| desk.relay.api("POST", &path(), token, &request).status;
    assert_eq!(as_token("none"), 401);
    assert_eq!(as_token(&reads), 403);
    assert_eq!(as_token(&of_other), 404);
    let answer = desk.relay.api("GET", &path(), &site, &Value::Null);
    assert_eq!(
        (answer.status, answer.fields["allow"].as_str()),
        (405, "POST")
    );
    assert_eq!(as_token(&site), 202);
    desk.world.take();
    // The account of the token goes before the addresses of another account.
    let as_other = desk.relay.api(
        "POST",
        "/accounts/other.desk.test/messages",
        &of_other,
        &request,
    );
    assert_eq!(as_other.with_status(422).code(), "message.refused");
    desk.ends();
}
