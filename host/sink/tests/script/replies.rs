use test_support::Client;

use crate::{Server, deliver, deliver_to};

#[test]
fn a_greeting_that_refuses_closes_only_with_421() {
    let server = Server::of(
        "[[on]]\ncommand = 'CONNECT'\nreply = '554 5.7.1 no'\ntimes = 1
        [[on]]\ncommand = 'CONNECT'\nafter = 1\nreply = '421 4.3.2 busy'",
    );
    let mut client = Client::connect(server.address).unwrap();
    client.expect(554);
    client.command("EHLO client.example", 503);
    client.command("QUIT", 221);
    let mut client = Client::connect(server.address).unwrap();
    client.expect(421);
    assert!(client.closed());
}

#[test]
fn ehlo_may_be_refused_and_helo_taken() {
    let server =
        Server::of("[[on]]\ncommand = 'EHLO'\nmatch = '*.example'\nreply = '502 5.5.1 no'");
    let mut client = server.client();
    client.command("EHLO client.example", 502);
    client.command("MAIL FROM:<a@a.example>", 503);
    client.command("HELO client.example", 250);
    assert_eq!(deliver(&mut client).code, 250);
    assert_eq!(server.kept(1)["helo"], "client.example");
}

#[test]
fn a_rule_answers_as_often_as_it_says() {
    let server = Server::of(
        "[[on]]
        command = 'RCPT'
        match = '*@b.example'
        after = 1
        times = 2
        reply = '450 4.2.0 mailbox busy'",
    );
    let mut client = server.ready();
    let replies: Vec<_> = (0..5).map(|_| deliver(&mut client).code).collect();
    assert_eq!(replies, [250, 450, 450, 250, 250]);
    assert_eq!(deliver_to(&mut client, "x@c.example").code, 250);
}

#[test]
fn a_rule_may_count_for_each_connection() {
    let server = Server::of(
        "[[on]]\ncommand = 'MAIL'\nper = 'connection'\ntimes = 1\nreply = '451 4.3.0 not yet'",
    );
    for _ in 0..2 {
        let mut client = server.ready();
        assert_eq!(deliver(&mut client).code, 451);
        assert_eq!(deliver(&mut client).code, 250);
    }
}

#[test]
fn a_rule_may_depend_on_tls_and_auth() {
    let server = Server::of(
        "tls.mode = 'starttls'
        auth = { mechanisms = ['PLAIN'], users = [{ name = 'ann', password = 'secret' }] }
        [[on]]
        command = 'MAIL'
        tls = false
        reply = '530 5.7.0 STARTTLS first'
        [[on]]
        command = 'MAIL'
        authenticated = false
        reply = '530 5.7.57 Client not authenticated to send mail'",
    );
    let mut client = server.ready();
    assert_eq!(
        client.command("MAIL FROM:<>", 530).text(),
        "5.7.0 STARTTLS first"
    );
    client.starttls();
    assert!(
        client
            .command("MAIL FROM:<>", 530)
            .text()
            .starts_with("5.7.57")
    );
    client.plain("ann", "secret");
    client.command("MAIL FROM:<>", 250);
}

#[test]
fn the_reply_to_a_message_may_depend_on_its_sender() {
    let server = Server::of(
        "[[on]]\ncommand = 'MESSAGE'\nmatch = 'ann@*'\nreply = '''554 5.2.0 one\n554 5.2.0 two'''",
    );
    let reply = deliver(&mut server.ready());
    assert_eq!(
        (reply.code, reply.lines),
        (554, vec!["5.2.0 one".into(), "5.2.0 two".into()])
    );
    assert_eq!(server.count(), 0);
}

#[test]
fn the_connection_ends_at_any_moment_of_the_script() {
    for moment in [
        "CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE", "RSET", "NOOP", "QUIT",
    ] {
        for then in ["close", "reset"] {
            let rule = format!("[[on]]\ncommand = '{moment}'\nthen = '{then}'");
            let server = Server::of(&rule);
            let mut client = Client::connect(server.address).unwrap();
            let lines = [
                "",
                "EHLO c.example",
                "NOOP",
                "RSET",
                "MAIL FROM:<a@a.example>",
                "RCPT TO:<b@b.example>",
                "DATA",
                "x\r\n.",
                "QUIT",
            ];
            let spoken = lines.iter().position(|line| {
                let sent = if line.is_empty() {
                    Ok(())
                } else {
                    client.send(format!("{line}\r\n"))
                };
                sent.is_err() || client.closed()
            });
            let at = [
                "CONNECT", "EHLO", "NOOP", "RSET", "MAIL", "RCPT", "DATA", "MESSAGE", "QUIT",
            ];
            assert_eq!(spoken.map(|n| at[n]), Some(moment), "{then}");
            assert_eq!(server.count(), usize::from(moment == "QUIT"));
        }
    }
}

#[test]
fn a_reply_may_come_before_the_end() {
    let server = Server::of("[[on]]\ncommand = 'MAIL'\nreply = '250 2.1.0 ok'\nthen = 'close'");
    let mut client = server.ready();
    client.command("MAIL FROM:<>", 250);
    assert!(client.closed());
}
