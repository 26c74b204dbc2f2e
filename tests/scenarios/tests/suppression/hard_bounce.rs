//! An address whose server says that there is no such mailbox is refused from then on, with the
//! reason, also after a crash; others are not, and removal lets mail go at once.

use rusqlite::Connection;

use crate::{MESSAGE, accepted, bounces, list, relay, submit};

#[test]
fn an_unknown_mailbox_is_refused_from_then_on() {
    let rule = "[[on]]\ncommand = 'RCPT'\nmatch = 'nobody@*'\ntimes = 1\n\
        reply = '550 5.1.1 No such user here'\n";
    let (builder, sink) = relay(rule);
    let mut relay = builder.with("[http]\naddress = '127.0.0.1:0'").start();
    let id = bounces(&relay, &sink, "Nobody@elsewhere.example");

    let entry = list(&relay).remove(0);
    assert_eq!(entry["address"], "nobody@elsewhere.example");
    assert_eq!(entry["account"], "acme");
    assert_eq!(entry["cause"], "hard-bounce");
    assert_eq!(entry["by"], id);
    let evidence = entry["evidence"].as_str().unwrap();
    assert!(
        evidence.contains("550 5.1.1 No such user here"),
        "{evidence}"
    );

    for restart in [false, true] {
        if restart {
            relay.kill();
            relay.restart();
        }
        let reply = submit(&relay, "nobody@elsewhere.example");
        assert_eq!((reply.code, reply.enhanced()), (550, Some("5.7.1")));
        let text = reply.text();
        for words in ["suppression list", "no such mailbox", "No such user here"] {
            assert!(text.contains(words), "{text}");
        }
        let events = relay.events(&reply.transaction(), "recipient");
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0]["reply"]["code"], 550);
        let refused = relay.metric("gatepost_suppressed_recipients_total");
        assert_eq!(refused, Some(1.0));
    }

    // Others of the same message get it, and mail from outside to that address is not concerned.
    let mut client = relay.client("submission").authenticated("user", "secret");
    let to = ["nobody@elsewhere.example", "x@elsewhere.example"];
    let reply = client.deliver("ann@sender.example", &to, MESSAGE).unwrap();
    assert_eq!(reply.code, 250);
    assert_eq!(sink.take().to, ["x@elsewhere.example"]);

    relay.json(&["suppression", "remove", "acme", "NOBODY@elsewhere.example"]);
    assert!(list(&relay).is_empty());
    accepted(&relay, "nobody@elsewhere.example");
    assert_eq!(sink.take().to, ["nobody@elsewhere.example"]);

    let store = relay.directory().join("store/spool.db");
    assert!(relay.terminate().success());
    let store = Connection::open(store).unwrap();
    let mut events = store
        .prepare("SELECT body FROM events WHERE kind = 'refused' AND account = 'acme'")
        .unwrap();
    let events: Vec<String> = events
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(events.len(), 3, "{events:?}");
    assert!(
        events[0].contains("suppression list") && events[0].contains("nobody@elsewhere.example"),
        "{events:?}"
    );
}
