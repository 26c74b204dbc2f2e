//! In the form `json` an answer arrives as what its author has just written, with the transaction of
//! the message that it answers, and with its attachment decoded beside it.

use test_support::Sink;

use super::desk::{Desk, SECRET, relay_to};

/// An answer with a quotation, and a file.
const ANSWER: &str = "From: =?utf-8?q?Ann_M=C3=BCller?= <ann@sender.example>\r\n\
    To: help@desk.example\r\n\
    Subject: Re: Printer\r\n\
    Message-ID: <3@sender.example>\r\n\
    In-Reply-To: <2@desk.example>\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\
    \r\n\
    --b\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    \r\n\
    It works.\r\n\
    \r\n\
    On 3 Feb 2025, at 09:00, Desk <help@desk.example> wrote:\r\n\
    > Does it?\r\n\
    --b\r\n\
    Content-Type: text/csv; name=list.csv\r\n\
    Content-Disposition: attachment; filename=\"../list.csv\"\r\n\
    Content-Transfer-Encoding: base64\r\n\
    \r\n\
    YTtiPTE=\r\n\
    --b--\r\n";

#[test]
fn an_answer_arrives_taken_apart() {
    let (desk, world) = (Desk::answering(200), Sink::start());
    let keys = format!("secrets = [{SECRET:?}]\nform = \"json\"");
    let relay = relay_to(desk.address, &world, &keys).start();
    let question = "From: help@desk.example\r\nTo: ann@sender.example\r\nSubject: Printer\r\n\
                    Message-ID: <2@desk.example>\r\n\r\nDoes it?\r\n";
    let mut client = relay.client("submission").authenticated("user", "secret");
    let to = ["ann@sender.example"];
    let reply = client.deliver("help@desk.example", &to, question.as_bytes());
    let asked = reply.unwrap().transaction();
    world.take();
    let mut client = relay.client("mx");
    client.ehlo();
    let to = ["help@desk.example"];
    let reply = client
        .deliver("ann@sender.example", &to, ANSWER.as_bytes())
        .unwrap();
    let id = reply.transaction();
    let posted = desk.take();
    assert!(posted.is_signed(), "{posted:?}");
    let (message, file) = posted.parts();
    assert_eq!(message["version"], 1);
    assert_eq!(message["transaction"], id);
    assert_eq!(message["account"], "acme");
    assert_eq!(message["thread"], asked, "{message}");
    assert_eq!(message["from"][0]["name"], "Ann Müller");
    assert_eq!(message["reply"], "It works.");
    assert!(message["text"].as_str().unwrap().contains("> Does it?"));
    let recipient = &message["envelope"]["rcpt-to"][0];
    assert_eq!(recipient["address"], "help@desk.example");
    let described = &message["attachments"][0];
    assert_eq!(
        (&described["name"], &described["size"]),
        (&"list.csv".into(), &5.into())
    );
    assert_eq!(file, b"a;b=1");
    relay.leaves_nothing(world);
}
