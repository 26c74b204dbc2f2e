//! Messages are found by what people know of them, newest first, and go with their events.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::time::Duration;

use gatepost_message::{Millis, TransactionId};
use gatepost_trace::{Event, Kind, MessageSearch, Retention, Trace, TracedMessage};

fn id(number: u8) -> TransactionId {
    let text = format!("018bcfe5-6800-7000-8000-0000000000{number:02x}");
    text.parse().unwrap()
}

/// A message of this number; number and time grow together.
fn message(number: u8) -> TracedMessage {
    TracedMessage {
        id: id(number),
        at: Millis(1_700_000_000_000 + u64::from(number)),
        account: Some("acme".to_owned()),
        flow: "inbound".to_owned(),
        sender: format!("ann{number}@a.example"),
        author: format!("ann{number}@shown.example"),
        recipients: vec![
            "help@acme.example".to_owned(),
            format!("b{number}@b.example"),
        ],
        message_id: format!("{number}@a.example"),
        subject: format!("Where is the parcel {number}, please? 100%"),
        metadata: None,
        outcome: "accept".to_owned(),
    }
}

/// A trace with three messages, the second of which another account submitted.
fn trace(folder: &std::path::Path) -> Trace {
    let retention = Retention {
        age: Duration::MAX,
        ..Retention::default()
    };
    let trace = Trace::open(folder.join("trace.db"), retention).unwrap();
    let submitted = TracedMessage {
        account: Some("other".to_owned()),
        flow: "submission".to_owned(),
        metadata: Some("{\"ticket\": 4711}".to_owned()),
        ..message(2)
    };
    for message in [message(1), submitted, message(3)] {
        trace.message(message);
    }
    trace
}

#[test]
fn each_criterion_finds_what_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path());
    let text = |text: &str| Some(text.to_owned());
    let all = || MessageSearch {
        limit: 10,
        ..MessageSearch::default()
    };
    let time = |number: u64| Some(Millis(1_700_000_000_000 + number));
    for (search, found) in [
        (all(), vec![3, 2, 1]),
        (
            MessageSearch {
                account: text("other"),
                ..all()
            },
            vec![2],
        ),
        (
            MessageSearch {
                sender: text("Ann1@a.example"),
                ..all()
            },
            vec![1],
        ),
        (
            MessageSearch {
                sender: text("ann3@shown.example"),
                ..all()
            },
            vec![3],
        ),
        (
            MessageSearch {
                sender: text("SHOWN.example"),
                ..all()
            },
            vec![3, 2, 1],
        ),
        (
            MessageSearch {
                sender: text("hown.example"),
                ..all()
            },
            vec![],
        ),
        (
            MessageSearch {
                sender: text("%"),
                ..all()
            },
            vec![],
        ),
        (
            MessageSearch {
                recipient: text("b2@b.example"),
                ..all()
            },
            vec![2],
        ),
        (
            MessageSearch {
                recipient: text("b.example"),
                ..all()
            },
            vec![3, 2, 1],
        ),
        (
            MessageSearch {
                message_id: text("<3@a.example>"),
                ..all()
            },
            vec![3],
        ),
        (
            MessageSearch {
                subject: text("PARCEL where"),
                ..all()
            },
            vec![3, 2, 1],
        ),
        (
            MessageSearch {
                subject: text("parcel 2"),
                ..all()
            },
            vec![2],
        ),
        (
            MessageSearch {
                subject: text("letter"),
                ..all()
            },
            vec![],
        ),
        (
            MessageSearch {
                metadata: text("4711"),
                ..all()
            },
            vec![2],
        ),
        (
            MessageSearch {
                since: time(2),
                ..all()
            },
            vec![3, 2],
        ),
        (
            MessageSearch {
                until: time(2),
                ..all()
            },
            vec![2, 1],
        ),
        (
            MessageSearch {
                before: Some(id(2)),
                ..all()
            },
            vec![1],
        ),
        (
            MessageSearch {
                account: text("acme"),
                recipient: text("b.example"),
                ..all()
            },
            vec![3, 1],
        ),
    ] {
        let shown = format!("{search:?}");
        let answer = trace.find(&search).unwrap();
        let ids: Vec<_> = answer.messages.iter().map(|of| of.id).collect();
        let found: Vec<_> = found.into_iter().map(id).collect();
        assert_eq!(ids, found, "{shown}");
        assert_eq!(answer.next, None, "{shown}");
    }
    let whole = trace
        .find(&MessageSearch {
            message_id: text("1@a.example"),
            ..all()
        })
        .unwrap();
    let mut expected = message(1);
    expected.recipients.sort();
    assert_eq!(whole.messages, [expected]);
}

#[test]
fn a_page_goes_on_where_the_one_before_ended() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path());
    let mut search = MessageSearch {
        limit: 2,
        ..MessageSearch::default()
    };
    let first = trace.find(&search).unwrap();
    assert_eq!((first.messages.len(), first.next), (2, Some(id(2))));
    search.before = first.next;
    let second = trace.find(&search).unwrap();
    assert_eq!((second.messages[0].id, second.next), (id(1), None));
}

#[test]
fn messages_go_with_their_transactions_and_with_their_account() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path());
    let all = MessageSearch {
        limit: 10,
        ..MessageSearch::default()
    };
    trace.erase(vec![id(1)]).unwrap();
    trace.erase_headers_of("other").unwrap();
    let left = trace.find(&all).unwrap();
    assert_eq!(left.messages.len(), 1);
    assert_eq!(left.messages[0].id, id(3));
    let by_recipient = MessageSearch {
        recipient: Some("help@acme.example".to_owned()),
        ..all
    };
    assert_eq!(trace.find(&by_recipient).unwrap().messages.len(), 1);
}

#[test]
fn messages_of_an_account_from_before_its_time_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path());
    for number in 1..=3 {
        trace.record(Event {
            id: id(number),
            at: message(number).at,
            kind: Kind::Held,
        });
    }
    let time_of_third = Millis(1_700_000_000_003);
    assert!(!trace.drop_older("acme", time_of_third).unwrap());
    let all = MessageSearch {
        limit: 10,
        ..MessageSearch::default()
    };
    let left = trace.find(&all).unwrap().messages;
    assert_eq!(
        left.iter().map(|of| of.id).collect::<Vec<_>>(),
        [id(3), id(2)]
    );
    assert!(trace.of(id(1)).unwrap().is_empty());
    assert_eq!(trace.of(id(2)).unwrap().len(), 1);
}

#[test]
fn a_message_older_than_all_events_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path());
    let all = MessageSearch {
        limit: 10,
        ..MessageSearch::default()
    };
    assert_eq!(trace.find(&all).unwrap().messages.len(), 3);
    trace.record(Event {
        id: id(3),
        at: Millis(1_700_000_000_003),
        kind: Kind::Held,
    });
    trace.flush().unwrap();
    // The next commit drops what no event tells of.
    trace.record(Event::now(id(3), Kind::Released));
    let left = trace.find(&all).unwrap().messages;
    assert_eq!(left.iter().map(|of| of.id).collect::<Vec<_>>(), [id(3)]);
}
