//! The log of the queue's database is removed or garbled after a kill: a message of 300 KB that had
//! its 250 is delivered all the same, once, and the log says that it was lost.

use std::fs;

use test_support::{RelayBuilder, Sink};

use crate::{accepted_large, doctor, without_next_hop};

#[test]
fn a_lost_log_costs_no_message() {
    for garble in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let mut relay = without_next_hop(directory.path())
            .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
            .start();
        let size = accepted_large(&relay, 30_000, 3);
        // Whoever looks at the queue brings it into the database.
        assert_eq!(relay.json(&["queue", "list", "--messages"]).len(), 3);
        relay.kill();
        let log = directory.path().join("store/spool.db-wal");
        match (garble, fs::metadata(&log)) {
            (true, Ok(found)) => fs::write(&log, vec![0xa5; found.len() as usize]).unwrap(),
            _ => drop(fs::remove_file(&log)),
        }
        let (code, said) = doctor(&relay);
        // Unless all of it had come to the database itself by then.
        let lost = said.contains("spool.db-wal: damaged or missing");
        assert_eq!(code, if lost { 2 } else { code.min(1) }, "{said}");

        let sink = Sink::start();
        let relay = RelayBuilder::usual(sink.address())
            .with("[http]\naddress = \"127.0.0.1:0\"")
            .directory(directory.path())
            .start();
        if lost {
            relay.logged("the last commits of the spool's database are lost");
            let metric = relay.metric("gatepost_store_damaged{file=\"spool.db-wal\"}");
            assert_eq!(metric, Some(1.0));
        }
        // Those of which the database has lost the last attempt are due already.
        relay.command(&["queue", "retry", "--all"]);
        for _ in 0..3 {
            assert!(sink.take().size >= size);
        }
        relay.leaves_nothing(sink);
    }
}
