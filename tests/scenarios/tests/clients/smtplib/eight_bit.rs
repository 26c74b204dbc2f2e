//! A message as Python's own library writes it, with its body in UTF-8 as it is.

use test_support::{RelayBuilder, Sink};

use super::program::run;

const PROGRAM: &str = r#"
from email.message import EmailMessage

letter = EmailMessage()
letter["From"], letter["To"] = "Ann <ann@sender.example>", "user@desk.example"
letter["Subject"] = "Grüße"
letter.set_content(message.decode(), cte="8bit")
with connect() as server:
    refused = server.send_message(letter, mail_options=["BODY=8BITMIME"])
    assert not refused, refused
"#;

#[test]
fn an_8bit_message_arrives_as_it_was_written() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let text = "Schöne Grüße, 你好, привет\r\n.\r\n… und tschüß\r\n";
    if run(PROGRAM, &relay, "mx", text.as_bytes()).is_none() {
        return;
    }
    let taken = sink.take();
    assert_eq!(taken.to, ["user@desk.example"]);
    assert_eq!(taken.header("Content-Transfer-Encoding").unwrap(), "8bit");
    let arrived = taken.text();
    assert_eq!(arrived.split_once("\r\n\r\n").unwrap().1, text);
    relay.leaves_nothing(sink);
}
