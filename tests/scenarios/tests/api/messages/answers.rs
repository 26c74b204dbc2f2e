//! An answer to a message that came in names nothing but its transaction.

use serde_json::json;

use super::{Desk, HELP};

#[test]
fn an_answer_goes_to_the_author_in_the_same_thread() {
    let desk = Desk::start();
    let mut client = desk.relay.client("mx");
    client.ehlo();
    let question = "From: Ann <ann@customer.example>\r\nMessage-ID: <1@customer.example>\r\n\
                    Subject: Where is it?\r\n\r\nHello\r\n";
    let reply = client
        .deliver("ann@customer.example", &[HELP], question.as_bytes())
        .unwrap();
    assert_eq!(reply.code, 250);
    let id = reply.transaction();
    desk.world.take();

    let answer = json!({"from": HELP, "text": "On its way."});
    desk.hands_in(answer.clone(), &[("answers", json!(id))])
        .with_status(202);
    let taken = desk.world.take();
    assert_eq!(taken.to, ["ann@customer.example"]);
    assert_eq!(taken.header("Subject").unwrap(), "Re: Where is it?");
    for field in ["In-Reply-To", "References"] {
        assert_eq!(
            taken.header(field).unwrap(),
            "<1@customer.example>",
            "{field}"
        );
    }
    let unknown = json!("018bcfe5-6800-7000-8000-000000000001");
    desk.hands_in(answer, &[("answers", unknown)])
        .with_status(404);
    desk.ends();
}
