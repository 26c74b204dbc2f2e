use serde_json::json;

use crate::{Server, deliver};

#[test]
fn the_dialogue_is_written_without_secrets() {
    let server = Server::of(
        "auth = { mechanisms = ['PLAIN', 'LOGIN'], in-clear = true,
                  users = [{ name = 'ann', password = 'secret' }] }",
    );
    let mut client = server.ready();
    client.command("AUTH LOGIN", 334);
    client.command("YW5u", 334);
    client.command("d3Jvbmc=", 535);
    assert_eq!(client.plain("ann", "secret").code, 235);
    client.command("NOOP", 250);
    let dialogue = server.dialogue();
    for line in [
        r#"{"connection":1,"event":"connected","detail":"127.0.0.1"}"#,
        r#"{"connection":1,"client":"EHLO client.example"}"#,
        r#"{"connection":1,"server":"334 UGFzc3dvcmQ6"}"#,
        r#"{"connection":1,"client":"AUTH PLAIN ***"}"#,
        r#"{"connection":1,"event":"login","detail":"ann"}"#,
    ] {
        assert!(dialogue.contains(line), "{line}\n{dialogue}");
    }
    for secret in ["d3Jvbmc", "AGFubgBzZWNyZXQ", "secret"] {
        assert!(!dialogue.contains(secret), "{secret}\n{dialogue}");
    }
}

#[test]
fn commands_sent_together_without_the_offer_are_noted() {
    for (extensions, noted) in [("[]", true), ("['PIPELINING']", false)] {
        let server = Server::of(&format!("ehlo.extensions = {extensions}"));
        let mut client = server.ready();
        client.send("NOOP\r\nNOOP\r\n").unwrap();
        client.expect(250);
        client.expect(250);
        assert_eq!(
            server.dialogue().contains("pipelined"),
            noted,
            "{extensions}"
        );
    }
}

#[test]
fn the_envelope_is_written_beside_the_message() {
    let server = Server::of("ehlo.extensions = ['DSN', 'SIZE 1000']");
    let mut client = server.ready();
    client.command("MAIL FROM:<a@a.example> SIZE=6 RET=HDRS ENVID=x", 250);
    client.command("RCPT TO:<b@b.example> NOTIFY=NEVER", 250);
    client.command("DATA", 354);
    client.command("x: y\r\n.", 250);
    let kept = server.kept(1);
    assert_eq!(kept["from"], "a@a.example");
    assert_eq!(kept["to"], json!(["b@b.example"]));
    assert_eq!(kept["parameters"], json!(["SIZE=6", "RET=HDRS", "ENVID=x"]));
    assert_eq!(
        (&kept["dsn"], &kept["dsn_to"]),
        (&json!("RET=HDRS ENVID=x"), &json!(["NOTIFY=NEVER"]))
    );
    assert_eq!((&kept["size"], &kept["connection"]), (&json!(6), &json!(1)));
    deliver(&mut client);
    assert_eq!(server.kept(2)["number"], 2);
}
