//! What the sender wants to hear of a message is kept with it (RFC 3461): RET and ENVID of MAIL,
//! NOTIFY and ORCPT of RCPT.

use serde_json::json;
use test_support::{RelayBuilder, Sink};

#[test]
fn dsn_parameters_are_queued_with_the_message() {
    let sink = Sink::with(&["--tempfail-first", "100"]);
    let relay = RelayBuilder::usual(sink.address())
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .start();
    let mut client = relay.client("mx");
    let offered = client.ehlo();
    assert!(offered.contains(&"DSN".to_owned()), "{offered:?}");
    client.command(
        "MAIL FROM:<ann@sender.example> RET=HDRS ENVID=QQ+2B314159",
        250,
    );
    client.command(
        "RCPT TO:<user@desk.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;first+2Bx@desk.example",
        250,
    );
    client.command("RCPT TO:<never@desk.example> NOTIFY=NEVER", 250);
    client.command("RCPT TO:<plain@desk.example>", 250);
    // Named once more, it keeps what was asked for first.
    client.command("RCPT TO:<user@desk.example> NOTIFY=NEVER", 250);
    client.command("DATA", 354);
    client.send(crate::MESSAGE).unwrap();
    let id = client.command(".", 250).transaction();

    let shown = &relay.json(&["queue", "show", &id])[0];
    assert_eq!(
        shown["dsn"],
        json!({ "ret": "hdrs", "envelope-id": "QQ+314159" })
    );
    let asked = |number: usize| &shown["recipients"][number]["dsn"];
    assert_eq!(
        *asked(0),
        json!({
            "notify": { "success": true, "failure": false, "delay": true },
            "original": { "address-type": "rfc822", "address": "first+x@desk.example" },
        })
    );
    assert_eq!(
        *asked(1),
        json!({ "notify": { "success": false, "failure": false, "delay": false } })
    );
    assert_eq!(*asked(2), json!({}));
    assert_eq!(shown["recipients"].as_array().unwrap().len(), 3);

    let text = relay.command(&["queue", "show", &id]).stdout;
    let text = String::from_utf8(text).unwrap();
    for line in [
        "Asked        RET=HDRS ENVID=QQ+2B314159",
        "  asked      NOTIFY=SUCCESS,DELAY ORCPT=rfc822;first+2Bx@desk.example",
        "  asked      NOTIFY=NEVER",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    }
}
