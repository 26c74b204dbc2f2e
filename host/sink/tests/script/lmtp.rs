use crate::Server;

#[test]
fn each_recipient_has_a_reply_of_its_own() {
    let server = Server::of(
        "protocol = 'lmtp'
        [[on]]
        command = 'MESSAGE'
        match = 'full@*'
        reply = '452 4.2.2 over quota'",
    );
    let mut client = server.client();
    client.command("EHLO c.example", 502);
    client.command("LHLO c.example", 250);
    client.command("MAIL FROM:<a@a.example>", 250);
    for to in ["one", "full", "two"] {
        client.command(&format!("RCPT TO:<{to}@b.example>"), 250);
    }
    client.command("DATA", 354);
    client.command("x: y\r\n\r\n.", 250);
    client.expect(452);
    client.expect(250);
    assert_eq!(
        server.kept(1)["to"],
        serde_json::json!(["one@b.example", "two@b.example"])
    );
}
