//! A message with addresses and header fields outside ASCII (RFC 6531) goes through two relays as
//! it was sent, its envelope too.

use super::pair::Pair;

#[test]
fn an_internationalised_message_arrives_as_it_was_sent() {
    let message = "From: Änn <änn@bücher.example>\r\n\
        To: Jürgen <jürgen@desk.example>\r\n\
        Größe: Grüße, Ελλάδα, 日本\r\n\
        \r\n\
        Grüße!\r\n";
    let pair = Pair::start();
    let mut client = pair.client();
    client.command("MAIL FROM:<änn@bücher.example> SMTPUTF8", 250);
    client.command("RCPT TO:<jürgen@desk.example>", 250);
    client.command("DATA", 354);
    client.send(message).unwrap();
    client.command(".", 250);
    drop(client);
    let taken = pair.brings("SMTPUTF8", message.as_bytes());
    assert!(taken.smtputf8);
    assert_eq!(taken.from, "änn@bücher.example");
    assert_eq!(taken.to, ["jürgen@desk.example"]);
    pair.end();
}
