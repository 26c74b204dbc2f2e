use crate::{Server, deliver};

#[test]
fn ehlo_offers_the_lines_of_the_script_and_no_others() {
    let server = Server::of("hostname = 'mx.example'\n[ehlo]\nextensions = ['SIZE 100', 'DSN']");
    let mut client = server.client();
    let reply = client.command("EHLO client.example", 250);
    assert_eq!(reply.lines, ["mx.example", "SIZE 100", "DSN"]);
}

#[test]
fn the_offer_under_tls_may_differ() {
    let script = "tls.mode = 'starttls'\n[ehlo]\nextensions = []\nunder-tls = ['CHUNKING']";
    let server = Server::of(script);
    let mut client = server.client();
    assert_eq!(client.ehlo(), ["STARTTLS"]);
    assert_eq!(client.starttls(), ["CHUNKING"]);
}

#[test]
fn a_parameter_that_was_not_offered_is_refused() {
    let server = Server::of("[ehlo]\nextensions = ['8BITMIME']");
    let mut client = server.ready();
    client.command("MAIL FROM:<a@a.example> SMTPUTF8", 555);
    client.command("MAIL FROM:<a@a.example> RET=HDRS", 555);
    client.command("MAIL FROM:<a@a.example> BODY=8BITMIME", 250);
    client.command("RCPT TO:<b@b.example> NOTIFY=NEVER", 555);
    client.command("BDAT 0 LAST", 503);
    client.command("XFORWARD NAME=x", 502);
    client.command("AUTH PLAIN x", 502);
    client.command("STARTTLS", 502);
}

#[test]
fn a_message_over_the_offered_size_is_refused() {
    let server = Server::of("[ehlo]\nextensions = ['SIZE 10']");
    let mut client = server.ready();
    client.command("MAIL FROM:<a@a.example> SIZE=11", 552);
    assert_eq!(deliver(&mut client).code, 552);
    assert_eq!(server.count(), 0);
}

#[test]
fn a_message_in_chunks_is_kept_whole() {
    let server = Server::of("[ehlo]\nextensions = ['CHUNKING', 'PIPELINING']");
    let mut client = server.ready();
    client.command("MAIL FROM:<a@a.example>", 250);
    client.command("RCPT TO:<b@b.example>", 250);
    client.send("BDAT 4\r\n.\r\nXBDAT 2 LAST\r\n\r\n").unwrap();
    client.expect(250);
    client.expect(250);
    assert_eq!(server.octets(1), b".\r\nX\r\n");
    assert_eq!(server.kept(1)["chunked"], true);
}

#[test]
fn xforward_is_recorded() {
    let server = Server::of("[ehlo]\nextensions = ['XFORWARD NAME ADDR']");
    let mut client = server.ready();
    client.command("XFORWARD NAME=a.example ADDR=192.0.2.1", 250);
    deliver(&mut client);
    assert_eq!(server.kept(1)["xforward"][1], "ADDR=192.0.2.1");
}
