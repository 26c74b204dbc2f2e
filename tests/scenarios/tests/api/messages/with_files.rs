//! A message of parts, with its files in a form beside it.

use serde_json::json;

use super::{Desk, HELP, to_ann};

#[test]
fn a_message_of_parts_is_delivered_and_its_fate_followed() {
    let desk = Desk::start();
    let mut message = to_ann("It is on its way.");
    message["bcc"] = json!(["copy@customer.example"]);
    message["metadata"] = json!("{\"ticket\": 4711}");
    let accepted = desk.hands_in(message, &[]).with_status(202);
    let outcomes: Vec<_> = (accepted.body["recipients"].as_array().unwrap().iter())
        .map(|of| {
            (
                of["address"].as_str().unwrap(),
                of["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("ann@customer.example", "queued"),
            ("copy@customer.example", "queued")
        ]
    );
    let taken = desk.world.take();
    assert_eq!(taken.from, HELP);
    assert_eq!(taken.header("From").unwrap(), format!("\"Desk\" <{HELP}>"));
    let id = format!("<{}>", accepted.text_of("message-id"));
    assert_eq!(taken.header("Message-ID").unwrap(), id);
    assert!(!taken.text().contains("copy@"), "{}", taken.text());
    assert_eq!(taken.header("X-Gatepost-Metadata"), None);

    let trace = &accepted.fields["location"]["/api/v1".len()..];
    let events = desk
        .relay
        .api("GET", trace, &desk.token, &json!(null))
        .with_status(200);
    assert_eq!(
        events.body["items"][0]["session"]["transport"], "http",
        "{events:?}"
    );
    let delivered = desk.relay.eventually("the delivery is told", |relay| {
        let events = relay.json(&["events", "--kind", "delivered"]);
        (events.len() == 2).then(|| events[0].clone())
    });
    assert_eq!(delivered["metadata"], "{\"ticket\": 4711}");
    desk.ends();
}

#[test]
fn files_come_as_parts_of_a_form() {
    let desk = Desk::start();
    let mut message = to_ann("See the file.");
    message["files"] = json!([{"name": "bill.pdf", "type": "application/pdf", "part": "bill"}]);
    let message = json!({ "message": message });
    let body = format!(
        "--sep\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{message}\r\n\
         --sep\r\nContent-Disposition: form-data; name=\"bill\"; filename=\"x\"\r\n\
         Content-Type: application/pdf\r\n\r\n%PDF of the bill\r\n--sep--\r\n"
    );
    let form = "Content-Type: multipart/form-data; boundary=sep\r\n";
    desk.sends("", form, body.as_bytes()).with_status(202);
    let text = desk.world.take().text();
    assert!(text.contains("filename=\"bill.pdf\""), "{text}");
    // base64 of the file
    assert!(text.contains("JVBERiBvZiB0aGUgYmlsbA=="), "{text}");

    let without = desk.sends(
        "",
        form,
        body.replace("name=\"bill\"", "name=\"other\"").as_bytes(),
    );
    assert!(
        without
            .with_status(400)
            .text_of("detail")
            .contains("files[0].part")
    );
    desk.ends();
}
