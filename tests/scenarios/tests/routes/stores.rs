//! A store that an earlier version wrote opens under this one, and what waits in it is routed and
//! delivered: of the version before destinations, and of the first that kept them.

use std::fs;

use rusqlite::Connection;
use test_support::{DnsServer, RelayBuilder, Sink, Zone};

use crate::{assert_nothing_came, relay, server};

/// Stores with one message each, by their schema. The second has a route by a connection that is
/// gone.
const STORES: [(u32, &str); 2] = [
    (
        7,
        include_str!("../../../../host/spool/tests/stores/schema-7.sql"),
    ),
    (
        8,
        include_str!("../../../../host/spool/tests/stores/schema-8.sql"),
    ),
];

/// Starts a relay on a store of this schema, and asserts that the server gets its message.
fn is_delivered(schema: u32, rows: &str, builder: RelayBuilder, server: &Sink) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    fs::create_dir(&store).unwrap();
    let database = Connection::open(store.join("spool.db")).unwrap();
    database.execute_batch(rows).unwrap();
    database
        .pragma_update(None, "user_version", schema)
        .unwrap();
    drop(database);

    let mut relay = builder.directory(folder.path()).start();
    let taken = server.take();
    assert_eq!(taken.from, "alice@sender.example", "schema {schema}");
    assert_eq!(taken.to, ["bob@a.example"]);
    assert_eq!(taken.text(), "Subject: old\r\n\r\nOld.\r\n");
    relay.eventually("the queue is empty", |relay| {
        let queue = relay.json(&["queue", "list", "--messages"]);
        queue.is_empty().then_some(())
    });
    assert!(relay.terminate().success(), "{}", relay.log());
}

#[test]
fn the_queue_of_an_earlier_version_goes_to_the_application() {
    for (schema, rows) in STORES {
        let application = server("");
        let dns = DnsServer::start(Zone::new());
        let inbound = format!(
            "[routes]\ninbound = {{ host = \"127.0.0.2\", port = {}, tls = \"none\" }}",
            application.address().port()
        );
        let builder = relay(&dns, 25).replace("[routes]", &inbound);
        is_delivered(schema, rows, builder, &application);
        assert_nothing_came(application);
    }
}

#[test]
fn the_queue_of_an_earlier_version_leaves_by_mx() {
    for (schema, rows) in STORES {
        let server = server("");
        let mut zone = Zone::new();
        zone.mx("a.example", 10, "mx.a.example");
        zone.a("mx.a.example", [127, 0, 0, 2].into());
        let dns = DnsServer::start(zone);
        let rows = rows.replace("\"flow\":\"inbound\"", "\"flow\":\"submission\"");
        let builder = relay(&dns, server.address().port());
        is_delivered(schema, &rows, builder, &server);
        assert_nothing_came(server);
    }
}
