//! Recorded events are read back; those too old, too many or too late are not kept.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::{io::Write, path::Path, process::Command, slice, time::Duration};

use gatepost_message::{Address, Millis, ReversePath, TransactionId};
use gatepost_model::{Destination, Flow, Judgement, NextHop, Protocol, Session, TlsMode, Verdict};
use gatepost_smtp::Reply;
use gatepost_trace::*;
use rusqlite::Connection;

fn open(directory: &Path) -> Trace {
    Trace::open(directory.join("trace.db"), Retention::default()).unwrap()
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn reply() -> Reply {
    Reply::new(451, "4.3.0", "later, please\nor never")
}

/// Returns one event of each kind.
fn kinds() -> Vec<Kind> {
    let session = Session {
        listener: "mx".into(),
        flow: Flow::Inbound,
        transport: gatepost_model::Transport::Smtp,
        client: "[2001:db8::1]:4711".parse().ok(),
        helo: Some("client.example".into()),
        tls: Some("TLSv1.3".into()),
        user: None,
    };
    let judgement = Judgement {
        policy: "loop-guard".into(),
        digest: "ab12".into(),
        hook: "message".into(),
        routing: None,
        verdict: Verdict::Reject(Reply::new(550, "5.7.1", "no")),
        decision: Default::default(),
        micros: 7,
        error: None,
    };
    let attempt = |ending| Kind::Attempt {
        address: address("bob@a.example"),
        attempt: 2,
        destination: Some(Destination::Mx {
            domain: "a.example".into(),
            egress: None,
        }),
        server: Some("192.0.2.1:25".into()),
        return_path: Some(address("b+token@desk.example")),
        reply: reply(),
        ending,
    };
    vec![
        Kind::Begun { session },
        Kind::Sender {
            reverse_path: ReversePath::Null,
            reply: reply(),
        },
        Kind::Recipient {
            address: address("\"b@\"@a.example"),
            reply: reply(),
        },
        Kind::Judged {
            judgement: Box::new(judgement),
        },
        Kind::Replied {
            reply: reply(),
            size: 4711,
        },
        Kind::Aborted {
            reason: "RSET".into(),
        },
        Kind::Queued {
            recipients: vec![address("bob@a.example")],
        },
        Kind::Suppressed {
            address: address("bob@a.example"),
            reason: "why".into(),
        },
        Kind::Quarantined {
            reason: "why".into(),
            expires: Millis(1_800_000_000_000),
        },
        Kind::Released,
        Kind::Held,
        Kind::Retried,
        Kind::Discarded,
        attempt(AttemptEnd::Delivered),
        attempt(AttemptEnd::Deferred {
            next_attempt: Millis(1_800_000_000_000),
        }),
        attempt(AttemptEnd::Failed),
        Kind::Bounced {
            notice: TransactionId::new(),
            recipients: vec![],
        },
        Kind::Expired {
            recipients: vec![address("bob@a.example")],
        },
        Kind::Cancelled,
    ]
}

#[test]
fn events_are_read_back_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let trace = open(directory.path());
    let [id, other] = [TransactionId::new(), TransactionId::new()];
    let events: Vec<_> = kinds()
        .into_iter()
        .map(|kind| Event::now(id, kind))
        .collect();
    for event in &events {
        trace.record(Event::now(other, Kind::Held));
        trace.record(event.clone());
    }
    assert_eq!(trace.of(id).unwrap(), events);
    assert_eq!(trace.of(other).unwrap().len(), events.len());
    assert!(trace.of(TransactionId::new()).unwrap().is_empty());
    assert_eq!(trace.dropped(), 0);
    drop(trace);
    assert_eq!(open(directory.path()).of(id).unwrap(), events);
}

#[test]
fn that_a_message_was_taken_stands_before_its_delivery() {
    let directory = tempfile::tempdir().unwrap();
    let trace = open(directory.path());
    let id = TransactionId::new();
    let kinds = kinds();
    let is_taking = |kind: &Kind| {
        matches!(
            kind,
            Kind::Recipient { .. }
                | Kind::Queued { .. }
                | Kind::Suppressed { .. }
                | Kind::Quarantined { .. }
                | Kind::Replied { .. }
        )
    };
    let is_attempt = |kind: &Kind| matches!(kind, Kind::Attempt { .. });
    let [taking, attempts]: [Vec<Kind>; 2] = [
        kinds
            .iter()
            .filter(|kind| is_taking(kind))
            .cloned()
            .collect(),
        kinds
            .iter()
            .filter(|kind| is_attempt(kind))
            .cloned()
            .collect(),
    ];
    let begun = kinds[0].clone();
    // The attempts end while the message is still being recorded as taken.
    for kind in [
        slice::from_ref(&begun),
        &taking[..1],
        &attempts,
        &taking[1..],
    ]
    .concat()
    {
        trace.record(Event::now(id, kind));
    }
    let read: Vec<_> = trace.of(id).unwrap();
    let read: Vec<_> = read.into_iter().map(|event| event.kind).collect();
    assert_eq!(read, [vec![begun], taking, attempts].concat());
}

#[test]
fn events_beyond_the_memory_bound_are_dropped_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let trace = open(directory.path());
    let id = TransactionId::new();
    let reason = |length| Kind::Aborted {
        reason: "x".repeat(length),
    };
    trace.record(Event::now(id, reason(33 << 20)));
    assert_eq!(trace.dropped(), 1);
    // Neither dropped nor written events count any longer.
    for _ in 0..5 {
        trace.record(Event::now(id, reason(20 << 20)));
        trace.flush().unwrap();
    }
    assert_eq!(trace.dropped(), 1);
    assert_eq!(trace.of(id).unwrap().len(), 5);
}

#[test]
fn the_keys_of_every_event_are_of_one_style() {
    fn look(value: &serde_json::Value) {
        match value {
            serde_json::Value::Object(fields) => {
                for (key, value) in fields {
                    assert!(!key.contains('_'), "{key}");
                    look(value);
                }
            }
            serde_json::Value::Array(values) => values.iter().for_each(look),
            _ => {}
        }
    }
    for kind in kinds() {
        look(&serde_json::to_value(kind).unwrap());
    }
}

#[test]
fn an_event_in_json_names_its_kind_and_transaction() {
    let id = TransactionId::new();
    let event = Event {
        id,
        at: Millis(7),
        kind: Kind::Aborted {
            reason: "RSET".into(),
        },
    };
    let json = serde_json::to_value(&event).unwrap();
    let expected = serde_json::json!({
        "id": id.to_string(), "at": 7, "event": "aborted", "reason": "RSET"
    });
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
}

#[test]
fn events_that_are_too_old_are_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.db");
    let retention = Retention {
        age: Duration::from_secs(3600),
        ..Retention::default()
    };
    let trace = Trace::open(&path, retention).unwrap();
    let [old, young] = [TransactionId::new(), TransactionId::new()];
    let two_hours_ago = Millis::now() - Duration::from_secs(7200);
    // More than one commit drops.
    for _ in 0..10_000 {
        trace.record(Event {
            id: old,
            at: two_hours_ago,
            kind: Kind::Held,
        });
    }
    trace.record(Event::now(young, Kind::Held));
    eventually(|| trace.of(old).unwrap().is_empty());
    assert_eq!(trace.of(young).unwrap().len(), 1);
    assert_eq!(trace.dropped(), 0);
}

#[test]
fn the_oldest_events_are_dropped_if_there_are_too_many() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.db");
    let retention = Retention {
        events: 10,
        ..Retention::default()
    };
    let trace = Trace::open(&path, retention).unwrap();
    let ids: Vec<_> = (0..25).map(|_| TransactionId::new()).collect();
    for id in &ids {
        trace.record(Event::now(*id, Kind::Held));
    }
    let kept: Vec<_> = ids
        .iter()
        .filter(|id| !trace.of(**id).unwrap().is_empty())
        .collect();
    assert_eq!(kept, ids[15..].iter().collect::<Vec<_>>());
    drop(trace);
    // A smaller bound drops existing events too, without new ones to be written.
    let trace = Trace::open(
        &path,
        Retention {
            events: 3,
            ..retention
        },
    )
    .unwrap();
    eventually(|| trace.of(ids[21]).unwrap().is_empty());
    assert_eq!(trace.of(ids[22]).unwrap().len(), 1);
}

fn eventually(mut happens: impl FnMut() -> bool) {
    for _ in 0..200 {
        if happens() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("not within four seconds");
}

#[test]
fn a_slow_writer_costs_events_and_no_time() {
    let directory = tempfile::tempdir().unwrap();
    let trace = open(directory.path());
    trace.flush().unwrap();
    let blocker = Connection::open(directory.path().join("trace.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let id = TransactionId::new();
    let recorded = 40_000;
    for _ in 0..recorded {
        trace.record(Event::now(id, Kind::Held));
    }
    assert!(trace.dropped() > 0);
    drop(blocker);
    let kept = trace.of(id).unwrap().len() as u64;
    assert_eq!(kept + trace.dropped(), recorded);
    assert!(kept > 0);
}

/// Needs a small file system of its own, which only root may mount.
#[test]
fn events_are_dropped_on_a_disk_that_is_nearly_full() {
    let directory = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
        .arg(directory.path())
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        // Printed past the harness, which would keep it to itself.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: the trace on a full disk: no tmpfs here"
        );
        return;
    }
    let trace = open(directory.path());
    let id = TransactionId::new();
    trace.record(Event::now(id, Kind::Held));
    let kept = trace.of(id);
    let _ = Command::new("umount")
        .arg("--lazy")
        .arg(directory.path())
        .status();
    assert!(kept.unwrap().is_empty());
    assert_eq!(trace.dropped(), 1);
}

#[test]
fn a_trace_of_a_later_version_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let path = directory.path().join("trace.db");
    let store = Connection::open(&path).unwrap();
    store.pragma_update(None, "user_version", 4711).unwrap();
    let error = Trace::open(&path, Retention::default()).unwrap_err();
    assert!(
        matches!(error, TraceError::Newer { found: 4711, .. }),
        "{error}"
    );
}

/// The schemas of released versions, each with an event as that version wrote it. A new migration
/// adds its fixture here; the test below fails when one is missing.
const EARLIER: &[&str] = &[
    include_str!("stores/schema-1.sql"),
    include_str!("stores/schema-2.sql"),
    include_str!("stores/schema-3.sql"),
    include_str!("stores/schema-4.sql"),
];

#[test]
fn every_earlier_trace_is_upgraded_with_its_events() {
    for (number, fixture) in EARLIER.iter().enumerate() {
        let directory = tempfile::tempdir().unwrap();
        let store = Connection::open(directory.path().join("trace.db")).unwrap();
        store.execute_batch(fixture).unwrap();
        store
            .pragma_update(None, "user_version", number as u32 + 1)
            .unwrap();
        let trace = Trace::open(
            directory.path().join("trace.db"),
            Retention {
                age: Duration::MAX,
                ..Retention::default()
            },
        )
        .unwrap();
        let id = "018bcfe5-6800-7000-8000-000000000001".parse().unwrap();
        let [event] = &trace.of(id).unwrap()[..] else {
            panic!("one event")
        };
        assert_eq!(event.at, Millis(1_700_000_000_000));
        assert_eq!(
            event.kind,
            Kind::Aborted {
                reason: "RSET".into()
            }
        );
    }
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let present: u32 = Connection::open(directory.path().join("trace.db"))
        .unwrap()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(present as usize, EARLIER.len(), "a schema has no fixture");
}

/// Returns a message of acme as sent, and the findings when it came back.
fn sent_and_back(number: u8) -> (Sent, CameBack) {
    let id: TransactionId = format!("018bcfe5-6800-7000-8000-0000000000{number:02x}")
        .parse()
        .unwrap();
    let sent = Sent {
        id,
        at: Millis::now(),
        account: "acme".into(),
        domain: "customer.example".into(),
        message_id: format!("<{number}@customer.example>"),
        headers: vec![
            ("Message-ID".into(), format!("<{number}@customer.example>")),
            ("X-Mailer".into(), "Gatepost Mailer".into()),
        ],
    };
    let finding = |change, came: &str| Finding {
        header: "X-Mailer".into(),
        change,
        sent: "Gatepost Mailer".into(),
        came: came.into(),
    };
    let came_back = CameBack {
        at: Millis(1_700_000_000_000 + u64::from(number)),
        id,
        account: "acme".into(),
        domain: "customer.example".into(),
        proved: number != 2,
        findings: vec![if number == 3 {
            finding(Change::Replaced, "Another")
        } else {
            finding(Change::Lost, "")
        }],
    };
    (sent, came_back)
}

#[test]
fn sent_headers_are_kept_and_returns_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let trace = open(directory.path());
    let messages: Vec<_> = (1..=3).map(sent_and_back).collect();
    for (sent, came_back) in messages.clone() {
        trace.sent(sent);
        trace.came_back(came_back);
    }
    let (first, _) = &messages[0];
    // Just recorded, and found.
    assert_eq!(trace.sent_by_id(first.id).unwrap().as_ref(), Some(first));
    let found = trace.sent_by_message_id("<1@customer.example>").unwrap();
    assert_eq!(found.as_ref(), Some(first));
    assert_eq!(trace.sent_by_message_id("<1@other.example>").unwrap(), None);
    assert_eq!(trace.sent_by_id(TransactionId::new()).unwrap(), None);

    drop(trace);
    let trace = open(directory.path());
    let counted = trace.headers_of("customer.example").unwrap();
    let [lost, replaced] = counted.as_slice() else {
        panic!("{counted:?}")
    };
    assert_eq!(
        (lost.change, lost.count, lost.by_message_id),
        (Change::Lost, 2, 1)
    );
    assert_eq!(lost.first_at, Millis(1_700_000_000_001));
    assert_eq!(lost.last_at, Millis(1_700_000_000_002));
    assert_eq!(lost.example, messages[1].0.id);
    assert_eq!(
        (replaced.change, replaced.came.as_str()),
        (Change::Replaced, "Another")
    );
    assert_eq!(trace.headers_of("other.example").unwrap(), []);
}

/// An answer may come before the writer has gathered enough: a machine answers at once.
#[test]
fn a_message_sent_this_very_moment_is_found_by_its_message_id() {
    let directory = tempfile::tempdir().unwrap();
    let trace = open(directory.path());
    let sender = || trace.sender_by_message_id("<1@customer.example>").unwrap();
    assert_eq!(sender(), None);
    let (sent, _) = sent_and_back(1);
    let expected = Some((sent.id, sent.account.clone()));
    trace.sent(sent);
    assert_eq!(sender(), expected);
    // While it is written, and afterwards.
    trace.flush().unwrap();
    assert_eq!(sender(), expected);
    drop(trace);
    let trace = open(directory.path());
    let found = trace.sender_by_message_id("<1@customer.example>").unwrap();
    assert_eq!(found, expected);
}

#[test]
fn headers_sent_long_ago_are_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.db");
    let retention = Retention {
        age: Duration::from_secs(3600),
        ..Retention::default()
    };
    let trace = Trace::open(&path, retention).unwrap();
    let (mut old, _) = sent_and_back(1);
    old.at = Millis::now() - Duration::from_secs(7200);
    trace.sent(old.clone());
    trace.flush().unwrap();
    let (new, _) = sent_and_back(2);
    trace.sent(new.clone());
    assert_eq!(trace.sent_by_id(new.id).unwrap(), Some(new));
    assert_eq!(trace.sent_by_id(old.id).unwrap(), None);
}

#[test]
fn only_the_newest_sent_headers_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.db");
    drop(Trace::open(&path, Retention::default()).unwrap());
    // As many as are kept, made quickly.
    let many = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {SENT_KEPT})
         INSERT INTO sent SELECT printf('018bcfe5-6800-7000-7000-%012x', i),
         {}, 'acme', 'customer.example', i, '[]' FROM n",
        Millis::now().0
    );
    let store = Connection::open(&path).unwrap();
    store.execute_batch(&many).unwrap();
    let trace = Trace::open(&path, Retention::default()).unwrap();
    let (new, _) = sent_and_back(1);
    trace.sent(new.clone());
    assert_eq!(trace.sent_by_id(new.id).unwrap(), Some(new));
    let kept: i64 = store
        .query_row("SELECT count(*) FROM sent", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, SENT_KEPT);
}

#[test]
fn an_attempt_that_an_earlier_version_recorded_has_its_server_as_destination() {
    let recorded = r#"{"event": "attempt", "address": "bob@a.example", "attempt": 1,
        "route": {"host": "mx.a.example", "port": 25, "tls": "required"}, "server": null,
        "reply": {"code": 451, "enhanced": "4.4.1", "lines": ["nobody"]}, "ending": "failed"}"#;
    let hop = NextHop {
        host: "mx.a.example".into(),
        port: 25,
        tls: TlsMode::Required,
        protocol: Protocol::Smtp,
    };
    let wanted = Some(Destination::NextHop { hop, egress: None });
    match serde_json::from_str(recorded).unwrap() {
        Kind::Attempt { destination, .. } => assert_eq!(destination, wanted),
        other => panic!("{other:?}"),
    }
}
