//! Tokens that are forged, used or over: the message is ordinary mail.

use serde_json::json;

use crate::{ADDRESS, Site};

#[test]
fn a_token_proves_something_once() {
    let site = Site::start("two-way");
    site.verify("--inbound");
    let probe = site.world.take();
    let answer = site.forward("help@acme.desk.test", b"Subject: mail\r\n\r\nOrdinary.\r\n");
    assert_eq!(answer.code, 250);
    assert!(site.application.take().text().contains("Ordinary."));

    // One character of the code is another.
    let token = probe.header("X-Gatepost-Probe").unwrap();
    let last = if token.ends_with('a') { 'b' } else { 'a' };
    let forged = format!("{}{last}", &token[..token.len() - 1]);
    let forged = format!(
        "From: a@elsewhere.test\r\nSubject: s\r\nX-Gatepost-Probe: {forged}\r\n\r\nForged.\r\n"
    );
    site.relay_in(&site.connector, ADDRESS, forged.as_bytes());
    assert!(site.application.take().text().contains("Forged."));
    assert_eq!(site.known()["inbound"]["state"], "pending");

    site.relay_in(&site.connector, ADDRESS, &probe.bytes());
    assert_eq!(site.settled()["inbound"]["state"], "verified");
    // What was used is ordinary mail.
    let mut client = site.client(crate::ITS_SERVER);
    let reply = client.deliver("a@elsewhere.test", &[ADDRESS], &probe.bytes());
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(site.application.take().to, [ADDRESS]);
    client.command("MAIL FROM:<>", 250);
    client.command(&format!("RCPT TO:<{}>", probe.from), 550);
    drop(client);
    site.ends();
}

#[test]
fn an_answer_to_a_probe_is_ordinary_mail() {
    let site = Site::start("two-way");
    site.verify("--inbound");
    let probe = site.world.take();
    let id = probe.header("Message-ID").unwrap();
    let answer = format!(
        "From: ann@customer.test\r\nSubject: Re: {}\r\nIn-Reply-To: {id}\r\n\r\nGot it.\r\n",
        probe.header("Subject").unwrap()
    );
    site.relay_in(&site.connector, ADDRESS, answer.as_bytes());
    assert!(site.application.take().text().contains("Got it."));
    let known = site.known();
    assert_eq!(known["inbound"]["state"], json!("pending"), "{known}");
    site.relay_in(&site.connector, ADDRESS, &probe.bytes());
    assert_eq!(site.settled()["inbound"]["state"], "verified");
    site.ends();
}
