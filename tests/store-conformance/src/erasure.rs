//! Erasure of an account: nothing of it is left, and nothing of others is touched.

use gatepost_message::TransactionId;
use gatepost_model::{
    Effect, Event, EventKind, Flow, KeyedAnswer, LearntId, NoticeSubject, Scope, Suppression,
    SuppressionCause,
};
use gatepost_spool::{
    EraseCursor, ErasedRows, EventFilter, Filter, Ledger, NewMessage, Quarantine, Report,
    SuppressionFilter,
};

use crate::{StoreUnderTest, support::*};

const ACCOUNTS: [&str; 2] = ["acme", "other"];

/// Makes a message of an account with an event.
fn message_of(account: &str, to: &str) -> NewMessage {
    let mut new = message(TransactionId::new(), &[to]);
    new.transaction.account = Some(account.to_owned());
    new.transaction.session.flow = Flow::Submission;
    new.ledger = Ledger::of([Event {
        account: Some(account.to_owned()),
        address: None,
        transaction: Some(new.transaction.id),
        message_id: None,
        recipient: Some(address(to)),
        metadata: None,
        at: START,
        kind: EventKind::Queued,
    }]);
    new.ledger.answers = vec![KeyedAnswer {
        account: account.to_owned(),
        program: "token".to_owned(),
        key: format!("for {to}"),
        request: [7; 32],
        id: new.transaction.id,
        answer: format!(r#"{{"recipients":[["{to}","delivered"]]}}"#),
        at: START,
    }];
    new
}

/// Puts something of each kind of an account into the store; returns its queued message.
fn fill(store: &impl StoreUnderTest, account: &str) -> TransactionId {
    let queued = message_of(account, "bob@b.example");
    let id = accept(store.queue(), queued);
    let mut kept_apart = message_of(account, "eve@e.example");
    kept_apart.quarantine = Some(Quarantine {
        reason: "odd".to_owned(),
        expires: START + minutes(60),
    });
    accept(store.queue(), kept_apart);
    let entry = Suppression {
        account: account.to_owned(),
        address: "gone@b.example".to_owned(),
        cause: SuppressionCause::Operator,
        evidence: "by hand".to_owned(),
        at: START,
        by: None,
        count: 1,
    };
    wait(store.suppressions().add(vec![entry])).unwrap();
    let learnt = LearntId {
        account: account.to_owned(),
        ours: "ours@desk.example".to_owned(),
        theirs: "theirs@service.example".to_owned(),
        at: START,
    };
    wait(store.learnt().learn(learnt)).unwrap();
    let effects = [
        Effect::MarkSeen {
            key: "seen".to_owned(),
            seconds: 3600,
        },
        Effect::Count {
            key: "counted".to_owned(),
            amount: 2,
        },
        Effect::RememberMachine {
            address: "robot@b.example".to_owned(),
            evidence: "it answers".to_owned(),
            seconds: 3600,
        },
    ];
    let effects = effects.map(|effect| (scope(account), effect)).to_vec();
    wait(store.counters().apply(effects, START)).unwrap();
    id
}

fn scope(account: &str) -> Scope {
    Scope {
        policy: "p".to_owned(),
        account: Some(account.to_owned()),
    }
}

/// Walks over the whole store; returns what was removed.
fn erase(store: &impl StoreUnderTest, account: &str) -> ErasedRows {
    let mut all = ErasedRows::default();
    let mut next = Some(EraseCursor::default());
    while let Some(from) = next {
        let step = wait(store.erasure().erase(account, from)).unwrap();
        all.messages += step.erased.messages;
        all.events += step.erased.events;
        all.suppressions += step.erased.suppressions;
        all.learnt_ids += step.erased.learnt_ids;
        all.keyed_answers += step.erased.keyed_answers;
        all.counters += step.erased.counters;
        all.under_way += step.erased.under_way;
        next = step.next;
    }
    wait(store.erasure().overwrite_erased()).unwrap();
    all
}

/// Returns how much of each kind the store has of an account.
fn found(store: &impl StoreUnderTest, account: &str) -> [usize; 9] {
    let filter = || Filter {
        selection: gatepost_spool::Selection {
            account: Some(account.to_owned()),
            ..Default::default()
        },
        ..Filter::default()
    };
    let of_account = Some(account.to_owned());
    let events = EventFilter {
        account: of_account.clone(),
        ..EventFilter::default()
    };
    let suppressed = SuppressionFilter {
        account: of_account,
        ..SuppressionFilter::default()
    };
    let counters = store.counters();
    let answers = ["bob@b.example", "eve@e.example"].map(|to| {
        let found = store
            .answers()
            .answer_under(account, "token", &format!("for {to}"));
        wait(found).unwrap().iter().len()
    });
    let ours = store.learnt().ours_of(account, "theirs@service.example");
    [
        wait(store.admin().list(filter())).unwrap().len(),
        wait(store.admin().quarantine_list(filter())).unwrap().len(),
        wait(store.events().read(0, events, 1000))
            .unwrap()
            .events
            .len(),
        wait(store.suppressions().page(suppressed)).unwrap().len(),
        wait(ours).unwrap().iter().len(),
        answers.iter().sum(),
        usize::from(counters.seen(&scope(account), "seen", START)),
        counters.counted(&scope(account), "counted", 60, START) as usize,
        counters.machines(Some(account), START).len(),
    ]
}

/// All of an account goes, and all of the other stays, also when the store is opened again.
pub fn nothing_of_an_erased_account_is_left<S: StoreUnderTest>() {
    let mut store = S::open();
    let ids = ACCOUNTS.map(|account| fill(&store, account));
    let all = [1, 1, 2, 1, 1, 2, 1, 2, 1];
    assert_eq!(ACCOUNTS.map(|account| found(&store, account)), [all; 2]);
    let erasable = store.erasure().erasable("acme", EraseCursor::default());
    let erasable = wait(erasable).unwrap();
    assert_eq!(erasable.len(), 2);
    assert!(erasable.contains(&ids[0]) && !erasable.contains(&ids[1]));
    let erased = erase(&store, "acme");
    let expected = ErasedRows {
        messages: 2,
        events: 2,
        suppressions: 1,
        learnt_ids: 1,
        keyed_answers: 2,
        counters: 3,
        under_way: 0,
    };
    assert_eq!(erased, expected);
    for _ in 0..2 {
        let left = ACCOUNTS.map(|account| found(&store, account));
        assert_eq!(left, [[0; 9], all]);
        let found = wait(store.suppressions().find("acme", "gone@b.example"));
        assert_eq!(found.unwrap(), None);
        store.reopen();
    }
    assert_eq!(erase(&store, "acme"), ErasedRows::default());
    let claim = claim_one(store.queue(), START);
    assert_eq!(claim.transaction.id, ids[1]);
}

/// The numbers of events go on, though the last event was of the account.
pub fn numbers_of_events_go_on_after_an_erasure<S: StoreUnderTest>() {
    let mut store = S::open();
    fill(&store, "acme");
    let before = *store.events().last().borrow();
    erase(&store, "acme");
    store.reopen();
    let notice = Event::notice(None, NoticeSubject::Cap, "next".to_owned(), START);
    let next = wait(store.events().append(vec![notice])).unwrap();
    assert!(next > before + 1, "{next} after {before}");
    let left = wait(store.events().read(0, EventFilter::default(), 10)).unwrap();
    let subjects = left.events.iter().map(|stored| &stored.event.kind);
    let told: Vec<_> = subjects.map(|kind| format!("{kind:?}")).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("an account was erased"), "{told:?}");
}

/// A message of which an attempt is under way stays until that has ended.
pub fn an_attempt_under_way_keeps_its_message<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(store.queue(), message_of("acme", "bob@b.example"));
    let claimed = claim_one(store.queue(), START);
    let erased = erase(&store, "acme");
    assert_eq!((erased.messages, erased.under_way), (0, 1));
    let held = gatepost_spool::AttemptOutcome::Held {
        reply: reply(450, "4.7.1", "it is erased"),
    };
    let report = Report {
        lease: claimed.lease,
        message: id,
        results: vec![gatepost_spool::RecipientResult::of(0, held)],
        notices: Vec::new(),
        keep_until: None,
    };
    wait(store.queue().record(report)).unwrap();
    let erased = erase(&store, "acme");
    assert_eq!((erased.messages, erased.under_way), (1, 0));
    assert_eq!(found(&store, "acme")[0], 0);
}

/// The body of an erased message leaves the body store.
pub fn the_body_of_an_erased_message_goes<S: StoreUnderTest>() {
    let store = S::open();
    let id = TransactionId::new();
    let raw = format!("Subject: s\r\n\r\n{}", "x".repeat(400 << 10));
    let staged = stage(store.bodies(), id, raw.as_bytes(), 64 << 10);
    let mut new = message_of("acme", "bob@b.example");
    new.transaction.id = id;
    new.head = staged.head;
    new.body = staged.body;
    accept(store.queue(), new);
    assert_eq!(store.body_ids(), [id]);
    assert_eq!(erase(&store, "acme").messages, 1);
    assert_eq!(store.close(), []);
}
