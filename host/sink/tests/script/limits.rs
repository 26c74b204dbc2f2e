use test_support::Client;

use crate::{Server, deliver};

#[test]
fn a_connection_too_many_is_refused_until_another_ends() {
    let server = Server::of("limits.connections = 1");
    let mut first = server.client();
    Client::connect(server.address).unwrap().expect(421);
    first.command("QUIT", 221);
    assert!(first.closed());
    server.dialogue();
}

#[test]
fn a_message_too_many_on_a_connection_is_refused() {
    let server = Server::of("limits.messages-per-connection = 1");
    let mut client = server.ready();
    assert_eq!(deliver(&mut client).code, 250);
    assert_eq!(deliver(&mut client).code, 421);
    assert_eq!(deliver(&mut server.ready()).code, 250);
}

#[test]
fn a_message_too_many_in_a_minute_is_refused_with_the_reply_of_the_script() {
    let server = Server::of(
        "limits.messages-per-minute = { most = 2, reply = '432 4.3.2 STOREDRV limit exceeded' }",
    );
    let mut client = server.ready();
    let replies: Vec<_> = (0..3).map(|_| deliver(&mut client).code).collect();
    assert_eq!(replies, [250, 250, 432]);
    assert_eq!(deliver(&mut server.ready()).code, 432);
}

#[test]
fn a_recipient_or_a_recipient_domain_too_many_is_refused() {
    let server = Server::of("limits = { recipients = 3, recipient-domains = 2 }");
    let mut client = server.ready();
    client.command("MAIL FROM:<a@a.example>", 250);
    client.command("RCPT TO:<b@b.example>", 250);
    client.command("RCPT TO:<c@c.example>", 250);
    client.command("RCPT TO:<d@d.example>", 452);
    client.command("RCPT TO:<d@C.example>", 250);
    client.command("RCPT TO:<e@b.example>", 452);
}
