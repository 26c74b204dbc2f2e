//! Erasure of an account or of a correspondent: nothing of it is left, and nothing of others is touched.

use std::sync::Arc;

use gatepost_message::{ReversePath, SoughtAddress, TransactionId};
use gatepost_model::{
    AttemptFacts, Effect, Event, EventKind, Flow, KeyedAnswer, LearntId, NoticeSubject, Scope,
    Suppression, SuppressionCause,
};
use gatepost_spool::{
    AttemptOutcome, EraseCursor, ErasedCorrespondent, ErasedRows, EventFilter, Filter, Ledger,
    NewMessage, Quarantine, RecipientResult, Report, SuppressionFilter,
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
        recipients: 0,
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

/// Makes the correspondent of an account.
fn correspondent(account: Option<&str>, keep_suppression: bool) -> Arc<ErasedCorrespondent> {
    Arc::new(ErasedCorrespondent {
        account: account.map(str::to_owned),
        address: SoughtAddress::new(&address("ann@customer.example")),
        keep_suppression,
    })
}

/// Walks over the whole store; returns what was removed.
fn erase_correspondent(
    store: &impl StoreUnderTest,
    erased: &Arc<ErasedCorrespondent>,
) -> ErasedRows {
    let mut all = ErasedRows::default();
    let mut next = Some(EraseCursor::default());
    while let Some(from) = next {
        let step = wait(store.erasure().erase_correspondent(erased, from)).unwrap();
        all.add(step.erased);
        all.under_way += step.erased.under_way;
        next = step.next;
    }
    wait(store.erasure().overwrite_erased()).unwrap();
    all
}

/// Makes an event of an account about mail to an address.
fn event(account: &str, id: TransactionId, to: &str, kind: EventKind) -> Event {
    Event {
        account: Some(account.to_owned()),
        address: Some(address("help@desk.example")),
        transaction: Some(id),
        message_id: None,
        recipient: Some(address(to)),
        metadata: None,
        at: START,
        kind,
    }
}

/// Makes a message of an account to these recipients, with an event for each of them.
fn message_to(account: &str, to: &[&str]) -> NewMessage {
    let mut new = message(TransactionId::new(), to);
    let id = new.transaction.id;
    new.transaction.account = Some(account.to_owned());
    new.transaction.session.flow = Flow::Submission;
    let events = to
        .iter()
        .map(|to| event(account, id, to, EventKind::Queued));
    new.ledger = Ledger::of(events);
    new
}

/// Puts something of each kind that names the correspondent into the store of an account; returns the
/// message to her and to Bob.
fn fill_for_ann(store: &impl StoreUnderTest, account: &str) -> TransactionId {
    let both = message_to(account, &["Ann+news@Customer.example", "bob@b.example"]);
    let shared = both.transaction.id;
    let mut both = both;
    both.ledger.answers = vec![KeyedAnswer {
        account: account.to_owned(),
        program: "token".to_owned(),
        key: "both".to_owned(),
        request: [7; 32],
        id: shared,
        answer: r#"{"to":["ann@customer.example","bob@b.example"]}"#.to_owned(),
        at: START,
    }];
    accept(store.queue(), both);
    accept(
        store.queue(),
        message_to(account, &["ann@customer.example"]),
    );
    let mut named = message_to(account, &["bob@b.example"]);
    let text = "550 not like ann@customer.example, bob";
    let facts = AttemptFacts::local(reply(550, "5.7.1", text));
    let id = named.transaction.id;
    let told = event(account, id, "bob@b.example", EventKind::Failed(facts));
    named.ledger = Ledger::of([told]);
    named.ledger.answers = Vec::new();
    accept(store.queue(), named);
    let entry = |address: &str, evidence: &str| Suppression {
        account: account.to_owned(),
        address: address.to_owned(),
        cause: SuppressionCause::Complaint,
        evidence: evidence.to_owned(),
        at: START,
        by: Some(shared),
        count: 3,
    };
    let entries = vec![
        entry("ann@customer.example", "she complained"),
        entry("bob@b.example", "like ann@customer.example"),
    ];
    wait(store.suppressions().add(entries)).unwrap();
    for (ours, theirs) in [
        ("1@desk.example", "<ann@customer.example>"),
        ("2@desk.example", "2@service.example"),
    ] {
        let learnt = LearntId {
            account: account.to_owned(),
            ours: ours.to_owned(),
            theirs: theirs.to_owned(),
            at: START,
        };
        wait(store.learnt().learn(learnt)).unwrap();
    }
    let effects = ["ann@customer.example", "bob@b.example"].map(|address| {
        [
            Effect::MarkSeen {
                key: format!("met {address}"),
                seconds: 3600,
            },
            Effect::Count {
                key: format!("out {address} # 1"),
                amount: 2,
            },
            Effect::RememberMachine {
                address: address.to_owned(),
                evidence: "it answers".to_owned(),
                seconds: 3600,
            },
        ]
    });
    let effects = effects.into_iter().flatten();
    let effects = effects.map(|effect| (scope(account), effect)).collect();
    wait(store.counters().apply(effects, START)).unwrap();
    shared
}

/// Returns all that can be read of an account, as text.
fn all_of(store: &impl StoreUnderTest, account: &str) -> String {
    let filter = Filter {
        selection: gatepost_spool::Selection {
            account: Some(account.to_owned()),
            ..Default::default()
        },
        ..Filter::default()
    };
    let events = EventFilter {
        account: Some(account.to_owned()),
        ..EventFilter::default()
    };
    let suppressed = SuppressionFilter {
        account: Some(account.to_owned()),
        ..SuppressionFilter::default()
    };
    let counters = store.counters();
    let remembered = ["ann@customer.example", "bob@b.example"].map(|address| {
        (
            address,
            counters.seen(&scope(account), &format!("met {address}"), START),
            counters.counted(&scope(account), &format!("out {address} # 1"), 60, START),
            counters.machine(account, address, START),
        )
    });
    let remembered: Vec<_> = (remembered.into_iter())
        .filter(|(_, seen, counted, machine)| *seen || *counted > 0 || machine.is_some())
        .collect();
    let listed = wait(store.admin().list(filter)).unwrap();
    let shown: Vec<_> = (listed.iter())
        .map(|summary| wait(store.admin().show(summary.id)).unwrap())
        .collect();
    let learnt = ["<ann@customer.example>", "2@service.example"]
        .map(|theirs| wait(store.learnt().ours_of(account, theirs)).unwrap());
    format!(
        "{shown:#?} {:#?} {:#?} {:#?} {remembered:#?} {learnt:?}",
        wait(store.events().read(0, events, 1000)).unwrap().events,
        wait(store.suppressions().page(suppressed)).unwrap(),
        wait(store.answers().answer_under(account, "token", "both")).unwrap(),
    )
}

/// Rows that are only about the address go; those for others stay without it, and those of another account
/// stay as they were.
pub fn an_erased_correspondent_is_in_no_row<S: StoreUnderTest>() {
    let mut store = S::open();
    let shared = ACCOUNTS.map(|account| fill_for_ann(&store, account));
    let other = all_of(&store, "other");
    let before = *store.events().last().borrow();
    let erased = erase_correspondent(&store, &correspondent(Some("acme"), false));
    let expected = ErasedRows {
        messages: 1,
        recipients: 1,
        events: 2,
        suppressions: 1,
        learnt_ids: 1,
        keyed_answers: 1,
        counters: 3,
        under_way: 0,
    };
    assert_eq!(erased, expected);
    for _ in 0..2 {
        let left = all_of(&store, "acme");
        assert!(!left.to_lowercase().contains("customer.example"), "{left}");
        assert_eq!(left.matches("erased@erased.invalid").count(), 3, "{left}");
        assert_eq!(all_of(&store, "other"), other);
        let found = wait(store.suppressions().find("acme", "ann@customer.example"));
        assert_eq!(found.unwrap(), None);
        store.reopen();
    }
    let again = erase_correspondent(&store, &correspondent(Some("acme"), false));
    assert_eq!(again, ErasedRows::default());
    // Bob gets his, and Ann of the other account hers.
    let claims = claim(store.queue(), START);
    let of = |id| claims.iter().find(|claim| claim.transaction.id == id);
    let to = |id| {
        let recipients = of(id).unwrap().recipients.iter();
        recipients
            .map(|to| to.address.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(to(shared[0]), ["bob@b.example"]);
    assert_eq!(to(shared[1]).len(), 2);
    let claim = of(shared[0]).unwrap();
    assert_eq!(claim.transaction.recipients, [address("bob@b.example")]);
    let report = Report {
        lease: claim.lease,
        message: shared[0],
        results: vec![RecipientResult::of(claim.recipients[0].number, delivered())],
        notices: Vec::new(),
        keep_until: None,
    };
    assert!(wait(store.queue().record(report)).unwrap().finished);

    // All accounts at once, with what the last relay had under way; numbers of events go on.
    store.reopen();
    let erased = erase_correspondent(&store, &correspondent(None, false));
    assert_eq!(
        (erased.events, erased.suppressions, erased.counters),
        (2, 1, 3)
    );
    assert!(
        !all_of(&store, "other")
            .to_lowercase()
            .contains("customer.example")
    );
    let notice = Event::notice(None, NoticeSubject::Cap, "next".to_owned(), START);
    assert!(wait(store.events().append(vec![notice])).unwrap() > before);
}

/// An entry that stays says nothing of the mail that led to it.
pub fn a_kept_suppression_is_an_operators<S: StoreUnderTest>() {
    let mut store = S::open();
    fill_for_ann(&store, "acme");
    let erased = erase_correspondent(&store, &correspondent(Some("acme"), true));
    assert_eq!(erased.suppressions, 0);
    store.reopen();
    let found = wait(store.suppressions().find("acme", "ann@customer.example"));
    let found = found.unwrap().unwrap();
    assert_eq!(found.cause, SuppressionCause::Operator);
    assert_eq!((&*found.evidence, found.by, found.count), ("", None, 0));
}

/// A recipient stays until its attempt has ended; that of others does not hold it up.
pub fn a_recipient_under_way_is_not_erased_yet<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(
        store.queue(),
        message_to("acme", &["ann@customer.example", "bob@b.example"]),
    );
    let claimed = claim_one(store.queue(), START);
    let ann = correspondent(None, false);
    let erased = erase_correspondent(&store, &ann);
    assert_eq!((erased.recipients, erased.under_way), (0, 1));
    let found = wait(store.erasure().erase_messages(vec![id])).unwrap();
    assert_eq!((found.messages, found.under_way), (0, 1));
    let report = |number, keep_until| Report {
        lease: claimed.lease,
        message: id,
        results: vec![RecipientResult::of(
            number,
            AttemptOutcome::Failed {
                reply: reply(550, "5.1.1", "unknown"),
                server: None,
            },
        )],
        notices: Vec::new(),
        keep_until,
    };
    // Ann's has failed, for which the message would be kept; Bob's is under way still.
    wait(store.queue().record(report(0, Some(START + minutes(60))))).unwrap();
    let erased = erase_correspondent(&store, &ann);
    assert_eq!((erased.recipients, erased.under_way), (1, 0));
    let taken = Report {
        results: vec![RecipientResult::of(1, delivered())],
        ..report(1, None)
    };
    assert!(wait(store.queue().record(taken)).unwrap().finished);
    assert!(wait(store.admin().kept_show(id)).unwrap().is_none());
}

/// A message from the address goes with all its recipients, and so do a notice of the relay about it and
/// what is named by its id; an answer of somebody else who quotes it stays.
pub fn mail_from_a_correspondent_and_notices_about_it_go<S: StoreUnderTest>() {
    let store = S::open();
    let inbound = |from: &str, head: &str, to: &[&str], flow: Flow| {
        let mut new = message(TransactionId::new(), to);
        new.transaction.reverse_path = ReversePath::parse(from).unwrap();
        new.transaction.session.flow = flow;
        new.head = head.to_owned().into();
        accept(store.queue(), new)
    };
    let to = ["help@desk.example", "bob@b.example"];
    let wrapped = "prvs=1234abcdef=ann@customer.example";
    inbound(wrapped, "Subject: s\r\n\r\n", &to, Flow::Inbound);
    let author = "From: Ann <ANN@customer.example>\r\n\r\n";
    inbound("list@l.example", author, &to, Flow::Inbound);
    let notice = "Subject: no\r\nX-About: ann@customer.example\r\n\r\n";
    inbound("", notice, &["help@desk.example"], Flow::Internal);
    let named = inbound("", "Subject: report\r\n\r\n", &to, Flow::Inbound);
    let quoting = "From: <bob@b.example>\r\nCc: ann@customer.example\r\n\r\n";
    let stays = inbound("bob@b.example", quoting, &to, Flow::Inbound);
    let erased = erase_correspondent(&store, &correspondent(None, false));
    assert_eq!((erased.messages, erased.recipients), (3, 0));
    let erased = wait(store.erasure().erase_messages(vec![named, named])).unwrap();
    assert_eq!((erased.messages, erased.under_way), (1, 0));
    let left = wait(store.admin().list(Filter::default())).unwrap();
    let left: Vec<_> = left.iter().map(|summary| summary.id).collect();
    assert_eq!(left, [stays]);
}
