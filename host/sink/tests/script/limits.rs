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

/// A limit on connections may answer with 554; then the session waits for QUIT.
#[test]
fn a_connection_too_many_may_be_refused_for_good() {
    let script = "limits.connections = { most = 0, reply = '554 5.7.1 no' }";
    let server = Server::of(script);
    let mut client = Client::connect(server.address).unwrap();
    client.expect(554);
    client.command("MAIL FROM:<a@a.example>", 503);
    client.command("QUIT", 221);
}

/// A rule wins over the limits.
#[test]
fn a_rule_may_let_a_connection_too_many_in() {
    let rule = "[[on]]\ncommand = 'CONNECT'\nreply = '220 welcome'";
    let server = Server::of(&format!("limits.connections = 0\n{rule}"));
    assert_eq!(deliver(&mut server.ready()).code, 250);
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
