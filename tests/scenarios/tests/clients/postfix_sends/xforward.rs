//! Postfix says who sent a message to it (XFORWARD): it is in the relay's log, with the transaction
//! that it is true of and no other, and changes nothing.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{numbered, submit};

const TRUSTED: &str = "direction = \"inbound\"\nxforward-from = [\"127.0.0.0/8\"]";

#[test]
fn each_transaction_has_its_own_xforward_client() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace("direction = \"inbound\"", TRUSTED)
        .start();
    // Over one connection, which it keeps open in plaintext only.
    let tell = "smtp_send_xforward_command = yes\n\
                smtp_tls_security_level = none\n\
                smtp_connection_cache_destinations = static:all";
    let Some(postfix) = Postfix::with(relay.address("mx"), tell) else {
        return;
    };
    submit(postfix.address(), &["user@desk.example"], &numbered(1));
    let id = accepted_as(&sink);
    let line = relay.logged("passed on for another");
    assert!(line.contains(&id), "{line}");
    for said in [
        "ADDR=127.0.0.1 ",
        " PROTO=ESMTP ",
        " HELO=client.example ",
        " IDENT=",
    ] {
        assert!(line.contains(said), "{said}: {line}");
    }
    let session = &relay.events(&id, "begun")[0]["session"];
    assert_eq!(session["helo"], "postfix.example");
    let connection = session["client"].clone();

    let before = relay.log().len();
    postfix.sendmail("ann@sender.example", &["user@desk.example"], &numbered(2));
    let id = accepted_as(&sink);
    let log = relay.logged_behind(before, &["passed on for another"]);
    let line = log
        .lines()
        .find(|line| line.contains("passed on for"))
        .unwrap();
    assert!(line.contains(&id), "{line}");
    assert!(!line.contains("ADDR="), "{line}");
    assert!(line.contains("SOURCE=LOCAL"), "{line}");
    let session = &relay.events(&id, "begun")[0]["session"];
    assert_eq!(session["client"], connection);
    postfix.drained();
    relay.leaves_nothing(sink);
}

/// The transaction of the next message to arrive.
fn accepted_as(sink: &Sink) -> String {
    let field = sink.take().header("Received").unwrap();
    let id = field.split(" id ").nth(1).unwrap();
    id.split_whitespace()
        .next()
        .unwrap()
        .trim_end_matches(';')
        .to_owned()
}
