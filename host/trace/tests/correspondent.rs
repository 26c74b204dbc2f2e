//! Of a correspondent that is erased the trace keeps nothing, and of others all.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::time::Duration;

use gatepost_message::{Address, Millis, ReversePath, SoughtAddress, TransactionId};
use gatepost_model::{Flow, Session};
use gatepost_smtp::Reply;
use gatepost_trace::{
    AttemptEnd, CameBack, Change, CorrespondentSearch, Event, Finding, Kind, MessageSearch,
    RecipientRead, ReportRead, Retention, Sent, Trace, TracedMessage,
};

const ANN: &str = "ann@customer.example";
const BOB: &str = "bob@b.example";

fn id(number: u8) -> TransactionId {
    let text = format!("018bcfe5-6800-7000-8000-0000000000{number:02x}");
    text.parse().unwrap()
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn reply(text: &str) -> Reply {
    Reply::new(250, "2.0.0", text)
}

fn attempt(to: &str, text: &str) -> Kind {
    Kind::Attempt {
        address: address(to),
        attempt: 1,
        destination: None,
        server: None,
        return_path: None,
        reply: reply(text),
        ending: AttemptEnd::Delivered,
    }
}

/// Records a transaction with its message.
fn record(trace: &Trace, number: u8, flow: Flow, from: &str, to: &[&str], more: Vec<Kind>) {
    let session = Session {
        listener: "mx".into(),
        flow,
        transport: gatepost_model::Transport::Smtp,
        client: None,
        helo: None,
        tls: None,
        user: None,
    };
    let begun = [
        Kind::Begun { session },
        Kind::Sender {
            reverse_path: ReversePath::parse(from).unwrap(),
            reply: reply("ok"),
        },
    ];
    let recipients = to.iter().map(|to| Kind::Recipient {
        address: address(to),
        reply: reply("ok"),
    });
    let queued = Kind::Queued {
        recipients: to.iter().map(|to| address(to)).collect(),
    };
    let kinds = begun
        .into_iter()
        .chain(recipients)
        .chain([queued])
        .chain(more);
    for kind in kinds {
        let at = Millis(1_700_000_000_000 + u64::from(number));
        trace.record(Event {
            id: id(number),
            at,
            kind,
        });
    }
    trace.message(TracedMessage {
        id: id(number),
        at: Millis(1_700_000_000_000 + u64::from(number)),
        account: Some("acme".to_owned()),
        flow: match flow {
            Flow::Submission => "submission".to_owned(),
            _ => "inbound".to_owned(),
        },
        sender: from.to_owned(),
        author: from.to_owned(),
        recipients: to.iter().map(|to| to.to_lowercase()).collect(),
        message_id: format!("{number}@desk.example"),
        subject: format!("As {ANN} asked"),
        metadata: None,
        outcome: "accept".to_owned(),
    });
    trace.flush().unwrap();
}

fn open(folder: &std::path::Path) -> Trace {
    let retention = Retention {
        age: Duration::MAX,
        ..Retention::default()
    };
    Trace::open(folder.join("trace.db"), retention).unwrap()
}

/// Erases Ann; returns the transactions that went as a whole, and the number of rows of others.
fn erase(trace: &Trace) -> (Vec<TransactionId>, u64) {
    let ann = SoughtAddress::new(&address(ANN));
    let mut search = CorrespondentSearch::new(ann.clone());
    let (mut gone, mut rows) = (Vec::new(), 0);
    while !search.is_over() {
        let found = trace.naming(&mut search).unwrap();
        let (whole, other): (Vec<_>, Vec<_>) = found.into_iter().partition(|of| of.goes);
        let mut ids: Vec<_> = whole.iter().map(|of| of.id).collect();
        ids.extend(
            whole
                .iter()
                .chain(&other)
                .flat_map(|of| of.about_it.clone()),
        );
        trace.erase(ids.clone()).unwrap();
        gone.extend(ids);
        let ids = other.iter().map(|of| of.id).collect();
        rows += trace.erase_address(ids, ann.clone()).unwrap();
    }
    rows += trace.erase_address_from_findings(None, ann).unwrap();
    trace.overwrite_erased().unwrap();
    gone.sort_unstable();
    gone.dedup();
    (gone, rows)
}

fn report(number: u8, about: u8, recipient: &str) -> Kind {
    Kind::Report(Box::new(ReportRead {
        report: id(number),
        about: Some(id(about)),
        kind: "failure".to_owned(),
        by: None,
        forged: false,
        recipients: vec![RecipientRead {
            address: address(recipient),
            action: Some("failed".to_owned()),
            status: None,
            diagnostic: None,
        }],
        reporter: None,
    }))
}

#[test]
fn no_file_of_the_trace_holds_an_erased_address() {
    let folder = tempfile::tempdir().unwrap();
    let trace = open(folder.path());
    let help = "help@desk.example";
    // From her, to her alone, wrapped.
    record(
        &trace,
        1,
        Flow::Inbound,
        "Ann+x@Customer.example",
        &[help],
        vec![],
    );
    record(
        &trace,
        2,
        Flow::Submission,
        help,
        &[ANN],
        vec![attempt(ANN, "ok")],
    );
    let wrapped = "prvs=1234abcdef=ann@customer.example";
    record(&trace, 3, Flow::Inbound, wrapped, &[help], vec![]);
    // To her and Bob, with a report and a notice about her, and one about Bob.
    let more = vec![
        attempt(ANN, "ok"),
        attempt(BOB, "taken, and so is <ANN@customer.example>"),
        report(5, 4, ANN),
        report(6, 4, BOB),
        Kind::Bounced {
            notice: id(7),
            recipients: vec![address(ANN)],
        },
        Kind::Expired {
            recipients: vec![address(ANN), address(BOB)],
        },
    ];
    record(&trace, 4, Flow::Submission, help, &[ANN, BOB], more);
    let from_server = |number, of| {
        let more = vec![report(number, 4, of)];
        record(&trace, number, Flow::Inbound, "", &[help], more);
    };
    from_server(5, ANN);
    from_server(6, BOB);
    record(&trace, 7, Flow::Internal, "", &[help], vec![]);
    // Of others.
    record(
        &trace,
        8,
        Flow::Inbound,
        "joann@customer.example",
        &[help],
        vec![],
    );
    trace.sent(Sent {
        id: id(4),
        at: Millis(1_700_000_000_000),
        account: "acme".to_owned(),
        domain: "desk.example".to_owned(),
        message_id: "4@desk.example".to_owned(),
        headers: vec![("To".to_owned(), format!("{ANN}, {BOB}"))],
    });
    trace.came_back(CameBack {
        at: Millis(1_700_000_000_000),
        id: id(4),
        account: "acme".to_owned(),
        domain: "desk.example".to_owned(),
        proved: true,
        findings: vec![Finding {
            header: "To".to_owned(),
            change: Change::Replaced,
            sent: format!("{ANN}, {BOB}"),
            came: BOB.to_owned(),
        }],
    });
    trace.flush().unwrap();

    let (gone, rows) = erase(&trace);
    assert_eq!(gone, [1, 2, 3, 5, 7].map(id));
    assert!(rows > 0);
    for number in [1, 2, 3, 5, 7] {
        assert_eq!(trace.of(id(number)).unwrap(), [], "{number}");
    }
    let left = trace.of(id(4)).unwrap();
    let left: Vec<_> = left.into_iter().map(|event| event.kind).collect();
    let bob = vec![address(BOB)];
    assert_eq!(left.len(), 7, "{left:#?}");
    assert!(left.contains(&Kind::Queued {
        recipients: bob.clone()
    }));
    assert!(left.contains(&Kind::Expired { recipients: bob }));
    assert!(left.contains(&attempt(BOB, "taken, and so is <erased@erased.invalid>")));
    assert!(left.contains(&report(6, 4, BOB)));
    assert_eq!(trace.of(id(6)).unwrap().len(), 5);
    assert_eq!(trace.of(id(8)).unwrap().len(), 4);
    let all = MessageSearch {
        limit: 10,
        ..MessageSearch::default()
    };
    let found = trace.find(&all).unwrap().messages;
    let ids: Vec<_> = found.iter().map(|message| message.id).collect();
    assert_eq!(ids, [8, 6, 4].map(id));
    assert_eq!(found[2].recipients, [BOB]);
    let sent = trace.sent_by_id(id(4)).unwrap().unwrap();
    assert_eq!(sent.headers[0].1, format!("erased@erased.invalid, {BOB}"));
    let counted = trace.headers_of("desk.example").unwrap();
    assert_eq!(counted[0].came, BOB);

    for _ in 0..2 {
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let file = entry.unwrap().path();
            let octets = std::fs::read(&file).unwrap().to_ascii_lowercase();
            let text = String::from_utf8_lossy(&octets).replace("joann@", "");
            assert!(!text.contains(ANN), "{}", file.display());
        }
        assert_eq!(erase(&trace).0, []);
    }
}
