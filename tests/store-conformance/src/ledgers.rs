//! Events, suppression lists, learnt Message-IDs and answers under keys.

use std::time::Duration;

use gatepost_message::{Millis, TransactionId};
use gatepost_model::{
    AttemptFacts, Event, EventKind, EventName, Flow, KeyedAnswer, LearntId, NoticeSubject,
    StoredEvent, Suppression, SuppressionCause, SuppressionChange,
};
use gatepost_spool::{
    EventFilter, EventLog, EventPage, InitialState, Keep, Ledger, NewMessage, RecipientResult,
    Report, Selection, SuppressionFilter,
};

use crate::{StoreUnderTest, support::*};

/// Makes an event about a message.
fn event(id: TransactionId, account: &str, kind: EventKind) -> Event {
    Event {
        account: Some(account.into()),
        address: None,
        transaction: Some(id),
        message_id: None,
        recipient: Some(address("bob@b.example")),
        metadata: Some("ticket 4711".into()),
        at: START,
        kind,
    }
}

fn notice(text: &str, at: Millis) -> Event {
    Event::notice(Some("acme".into()), NoticeSubject::Cap, text.into(), at)
}

fn delivered_event(id: TransactionId) -> Event {
    let kind = EventKind::Delivered {
        attempt: AttemptFacts::local(reply(250, "2.0.0", "taken")),
        remote_message_id: None,
    };
    event(id, "acme", kind)
}

/// Makes a submitted message of which the account is told that it is queued.
fn told(recipients: &[&str]) -> NewMessage {
    let id = TransactionId::new();
    let mut new = message(id, recipients);
    new.transaction.session.flow = Flow::Submission;
    new.metadata = Some("ticket 4711".into());
    new.ledger = Ledger::of([event(id, "acme", EventKind::Queued)]);
    new
}

fn all(events: &dyn EventLog) -> EventPage {
    wait(events.read(0, EventFilter::default(), 1000)).unwrap()
}

fn names(page: &EventPage) -> Vec<EventName> {
    let events = page.events.iter();
    events.map(|stored| stored.event.kind.name()).collect()
}

fn seqs(page: &EventPage) -> Vec<u64> {
    page.events.iter().map(|stored| stored.seq).collect()
}

/// Reports the same outcome with an event for each recipient.
fn told_report(claim: &gatepost_spool::Claim, kind: &EventKind) -> Report {
    let mut report = report(claim, &delivered());
    for result in &mut report.results {
        result.ledger = Ledger::of([event(claim.transaction.id, "acme", kind.clone())]);
    }
    report
}

/// Events come with a message and with its results, in order; the metadata come with the claim.
pub fn events_come_with_what_they_tell<S: StoreUnderTest>() {
    let store = S::open();
    let queue = store.queue();
    queue.attach(gatepost_spool::Owner::new(), LEASE);
    let id = accept(queue, told(&["bob@b.example"]));
    assert_eq!(*store.events().last().borrow(), 1);
    // Nobody has read it yet, and it is read nevertheless.
    let page = all(store.events());
    assert_eq!(names(&page), [EventName::Queued]);
    assert_eq!(page.events[0].event.transaction, Some(id));
    drop(store);

    let store = S::open();
    let queue = store.queue();
    let id = accept(queue, told(&["bob@b.example"]));
    let claim = claim_one(queue, START);
    assert_eq!(claim.metadata.as_deref(), Some("ticket 4711"));
    let kind = delivered_event(id).kind;
    let recorded = wait(queue.record(told_report(&claim, &kind))).unwrap();
    assert!(recorded.finished);
    let page = all(store.events());
    assert_eq!(names(&page), [EventName::Queued, EventName::Delivered]);
    assert_eq!(seqs(&page), [1, 2]);
    assert_eq!((page.next, page.more), (2, false));
    let first = wait(store.events().first_of(id)).unwrap();
    assert_eq!(first.as_ref(), page.events.first());
}

/// A delivery that is handed off as the message is accepted has all its events.
pub fn a_direct_delivery_has_its_events<S: StoreUnderTest>() {
    let mut store = S::open();
    let owner = gatepost_spool::Owner::new();
    store.queue().attach(owner, LEASE);
    let ids: Vec<_> = (0..10)
        .map(|_| accept(store.queue(), told(&["bob@b.example"])))
        .collect();
    let claims = wait(store.queue().claim(owner, START, 100, LEASE)).unwrap();
    assert_eq!(claims.len(), 10);
    for claim in &claims {
        let kind = delivered_event(claim.transaction.id).kind;
        let recorded = wait(store.queue().record(told_report(claim, &kind))).unwrap();
        assert!(recorded.finished);
    }
    let before = all(store.events());
    assert_eq!(before.events.len(), 20);
    assert_eq!(seqs(&before), (1..=20).collect::<Vec<_>>());
    store.reopen();
    assert_eq!(all(store.events()), before);
    let later = wait(store.events().append(vec![notice("later", START)])).unwrap();
    assert_eq!(later, 21);
    assert_eq!(before.events[0].event.transaction, Some(ids[0]));
}

/// Reports under a lease that ran out make no event, and neither does a refused message.
pub fn what_is_not_stored_has_no_events<S: StoreUnderTest>() {
    let store = S::open();
    let queue = store.queue();
    let id = accept(queue, told(&["bob@b.example"]));
    let first = claim_one(queue, START);
    let later = START + LEASE;
    let second = claim_one(queue, later);
    let kind = delivered_event(id).kind;
    let recorded = wait(queue.record(told_report(&first, &kind))).unwrap();
    assert_eq!((recorded.applied, recorded.ignored), (0, 1));
    let mut again = told(&["bob@b.example"]);
    again.transaction.id = id;
    wait(queue.accept(again)).unwrap_err();
    assert_eq!(names(&all(store.events())), [EventName::Queued]);
    wait(queue.record(told_report(&second, &kind))).unwrap();
    let page = all(store.events());
    assert_eq!(names(&page), [EventName::Queued, EventName::Delivered]);
}

/// A message that is not stored, because nobody gets it, leaves its events.
pub fn a_message_for_nobody_leaves_its_events<S: StoreUnderTest>() {
    let store = S::open();
    let mut new = told(&["bob@b.example"]);
    new.recipients[0].state = InitialState::Suppressed {
        reason: "no".into(),
    };
    accept(store.queue(), new);
    assert_eq!(all(store.events()).events.len(), 1);
    assert!(list(store.admin()).is_empty());
}

/// Events are filtered and paged; a page says where to go on even if it is empty.
pub fn events_are_filtered_and_paged<S: StoreUnderTest>() {
    let store = S::open();
    let events = store.events();
    let id = TransactionId::new();
    let appended = (0..10).map(|number| match number % 2 {
        0 => notice("n", START),
        _ => event(id, "other", EventKind::Queued),
    });
    assert_eq!(wait(events.append(appended.collect())).unwrap(), 10);
    let page = |after, filter: &EventFilter, limit| {
        wait(events.read(after, filter.clone(), limit)).unwrap()
    };
    let whole = EventFilter::default();
    let first = page(0, &whole, 4);
    assert_eq!(
        (seqs(&first), first.next, first.more),
        (vec![1, 2, 3, 4], 4, true)
    );
    let rest = page(first.next, &whole, 100);
    assert_eq!(
        (seqs(&rest), rest.next, rest.more),
        (vec![5, 6, 7, 8, 9, 10], 10, false)
    );
    let none = page(10, &whole, 100);
    assert_eq!((none.events, none.next, none.more), (vec![], 10, false));
    for filter in [
        EventFilter {
            account: Some("other".into()),
            ..EventFilter::default()
        },
        EventFilter {
            kinds: vec![EventName::Queued, EventName::Failed],
            ..EventFilter::default()
        },
        EventFilter {
            transaction: Some(id),
            ..EventFilter::default()
        },
    ] {
        assert_eq!(seqs(&page(0, &filter, 100)), [2, 4, 6, 8, 10], "{filter:?}");
    }
    let nobody = EventFilter {
        account: Some("nobody".into()),
        ..EventFilter::default()
    };
    let empty = page(0, &nobody, 100);
    assert_eq!((empty.events, empty.next, empty.more), (vec![], 10, false));
}

/// A reader that waits for a later event is woken by it, also by one that came before it waited.
pub fn a_reader_is_woken_by_the_next_event<S: StoreUnderTest>() {
    let store = S::open();
    let mut last = store.events().last();
    wait(store.events().append(vec![notice("one", START)])).unwrap();
    wait(async { last.wait_for(|last| *last > 0).await.map(|last| *last) }).unwrap();
    let mut another = store.events().last();
    wait(store.events().append(vec![notice("two", START)])).unwrap();
    let woken = wait(async { another.wait_for(|last| *last > 1).await.map(|last| *last) });
    assert_eq!(woken.unwrap(), 2);
}

/// Old events and those beyond the bound are dropped, the last one never; numbers go on.
pub fn old_events_are_dropped_and_numbers_go_on<S: StoreUnderTest>() {
    let mut store = S::open();
    assert_eq!(wait(store.events().first()).unwrap(), 0);
    let events = (0..10).map(|number| notice("n", START + minutes(number)));
    wait(store.events().append(events.collect())).unwrap();
    let expire = |store: &S, since, most| {
        let keep = Keep { since, most };
        wait(store.events().expire_events(keep)).unwrap().entries
    };
    let first = |store: &S| wait(store.events().first()).unwrap();
    assert_eq!(first(&store), 1);
    assert_eq!(expire(&store, START + minutes(3), 100), 3);
    assert_eq!(expire(&store, START, 4), 3);
    assert_eq!(seqs(&all(store.events())), [7, 8, 9, 10]);
    assert_eq!(first(&store), 7);
    assert_eq!(expire(&store, START + minutes(100), 0), 3);
    store.reopen();
    assert_eq!(seqs(&all(store.events())), [10]);
    let next = wait(store.events().append(vec![notice("n", START)])).unwrap();
    assert_eq!(next, 11);
}

/// Cursors are durable, each by its name.
pub fn cursors_are_kept_by_name<S: StoreUnderTest>() {
    let mut store = S::open();
    let cursor = |store: &S, name| wait(store.events().cursor(name)).unwrap();
    assert_eq!(cursor(&store, "one"), None);
    wait(store.events().set_cursor("one", Some(7))).unwrap();
    wait(store.events().set_cursor("two", Some(8))).unwrap();
    wait(store.events().set_cursor("one", Some(9))).unwrap();
    store.reopen();
    assert_eq!(
        (cursor(&store, "one"), cursor(&store, "two")),
        (Some(9), Some(8))
    );
    wait(store.events().set_cursor("one", None)).unwrap();
    assert_eq!(cursor(&store, "one"), None);
}

fn suppression(address: &str, cause: SuppressionCause) -> Suppression {
    Suppression {
        account: "acme".into(),
        address: address.into(),
        cause,
        evidence: "550 5.1.1 nobody here".into(),
        at: START,
        by: Some(TransactionId::new()),
        count: 1,
    }
}

/// A suppression that comes with a result is found, and removed by command.
pub fn a_suppression_comes_with_a_result<S: StoreUnderTest>() {
    let mut store = S::open();
    let owner = gatepost_spool::Owner::new();
    store.queue().attach(owner, LEASE);
    accept(store.queue(), told(&["gone@b.example"]));
    let claims = wait(store.queue().claim(owner, START, 1, LEASE)).unwrap();
    let entry = suppression("gone@b.example", SuppressionCause::HardBounce);
    let mut failed = report(&claims[0], &failed());
    failed.results[0].ledger.suppressions = vec![SuppressionChange::Suppress(entry.clone())];
    wait(store.queue().record(failed)).unwrap();
    let find =
        |store: &S, account, address| wait(store.suppressions().find(account, address)).unwrap();
    assert_eq!(find(&store, "acme", "gone@b.example"), Some(entry.clone()));
    assert_eq!(find(&store, "other", "gone@b.example"), None);
    assert_eq!(find(&store, "acme", "here@b.example"), None);
    store.reopen();
    assert_eq!(find(&store, "acme", "gone@b.example"), Some(entry));
    assert_eq!(store.suppressions().count(Some("acme")), 1);
    assert!(wait(store.suppressions().remove("acme", "gone@b.example")).unwrap());
    assert!(!wait(store.suppressions().remove("acme", "gone@b.example")).unwrap());
    assert_eq!(find(&store, "acme", "gone@b.example"), None);
    assert_eq!(store.suppressions().count(None), 0);
}

/// Counted bounces suppress an address at the limit; a delivery before that ends the count.
pub fn counted_bounces_suppress_at_the_limit<S: StoreUnderTest>() {
    let store = S::open();
    let queue = store.queue();
    let change = |change: SuppressionChange| {
        let mut new = told(&["full@b.example"]);
        new.ledger.suppressions = vec![change];
        new.recipients[0].state = InitialState::Suppressed {
            reason: "for the change alone".into(),
        };
        accept(queue, new);
    };
    let count = || {
        change(SuppressionChange::Count {
            entry: suppression("full@b.example", SuppressionCause::Counting),
            limit: 3,
            since: START,
        });
    };
    let deliver = || {
        change(SuppressionChange::Delivered {
            account: "acme".into(),
            address: "full@b.example".into(),
        });
    };
    let found = || wait(store.suppressions().find("acme", "full@b.example")).unwrap();
    count();
    count();
    assert_eq!(found(), None);
    deliver();
    count();
    count();
    assert_eq!(found(), None, "the count began anew");
    count();
    let entry = found().expect("three bounces");
    assert_eq!(
        (entry.cause, entry.count),
        (SuppressionCause::SoftBounces, 3)
    );
    deliver();
    assert!(found().is_some(), "a suppressed address stays so");
}

/// Only the bounces of a sliding window count, over a restart, too.
pub fn bounces_are_counted_in_a_sliding_window<S: StoreUnderTest>() {
    let mut store = S::open();
    let count = |store: &S, at| {
        let mut new = told(&["full@b.example"]);
        new.ledger.suppressions = vec![SuppressionChange::Count {
            entry: Suppression {
                at,
                ..suppression("full@b.example", SuppressionCause::Counting)
            },
            limit: 3,
            since: at - Duration::from_secs(60 * 60),
        }];
        new.recipients[0].state = InitialState::Suppressed {
            reason: "for the change alone".into(),
        };
        accept(store.queue(), new);
        let counting = SuppressionFilter {
            cause: Some(SuppressionCause::Counting),
            ..SuppressionFilter::default()
        };
        let page = wait(store.suppressions().page(counting)).unwrap();
        page.first().map(|entry| entry.count)
    };
    // Each comes soon after the one before, and no three within an hour.
    for (minute, counted) in [(0, 1), (40, 2), (70, 2), (110, 2)] {
        assert_eq!(count(&store, START + minutes(minute)), Some(counted));
        store.reopen();
    }
    assert_eq!(count(&store, START + minutes(120)), None);
    let entry = wait(store.suppressions().find("acme", "full@b.example")).unwrap();
    let entry = entry.expect("three within an hour");
    assert_eq!(
        (entry.cause, entry.count),
        (SuppressionCause::SoftBounces, 3)
    );
}

/// A list is paged and filtered by cause; what only counts is dropped after its time.
pub fn suppressions_are_listed_and_expire<S: StoreUnderTest>() {
    let store = S::open();
    let suppressions = store.suppressions();
    let entries = [
        suppression("a@b.example", SuppressionCause::Operator),
        suppression("b@b.example", SuppressionCause::Import),
        suppression("c@b.example", SuppressionCause::Counting),
        suppression("d@b.example", SuppressionCause::Complaint),
    ];
    assert_eq!(wait(suppressions.add(entries.to_vec())).unwrap(), 4);
    let page = |filter: SuppressionFilter| {
        let page = wait(suppressions.page(filter)).unwrap();
        let addresses = page.into_iter().map(|entry| entry.address);
        addresses.collect::<Vec<_>>()
    };
    let whole = SuppressionFilter::default();
    assert_eq!(
        page(whole.clone()),
        ["a@b.example", "b@b.example", "d@b.example"]
    );
    let after = Some(("acme".to_owned(), "a@b.example".to_owned()));
    let next = SuppressionFilter {
        after,
        limit: 1,
        ..whole.clone()
    };
    assert_eq!(page(next), ["b@b.example"]);
    let counting = SuppressionFilter {
        cause: Some(SuppressionCause::Counting),
        ..whole
    };
    assert_eq!(page(counting.clone()), ["c@b.example"]);
    wait(suppressions.expire_counting(START)).unwrap();
    assert_eq!(page(counting.clone()), ["c@b.example"]);
    let dropped = wait(suppressions.expire_counting(START + minutes(1))).unwrap();
    assert_eq!((dropped.entries, suppressions.count(None)), (1, 3));
    assert!(page(counting).is_empty());
}

/// Message-IDs are learnt with a result or without, per account, and forgotten after their time.
pub fn message_ids_are_learnt<S: StoreUnderTest>() {
    let mut store = S::open();
    let learnt = |theirs: &str, at| LearntId {
        account: "acme".into(),
        ours: "ours@desk.example".into(),
        theirs: theirs.into(),
        at,
    };
    accept(store.queue(), told(&["bob@b.example"]));
    let claim = claim_one(store.queue(), START);
    let mut report = report(&claim, &delivered());
    report.results[0].ledger.learnt = vec![learnt("with@service.example", START)];
    wait(store.queue().record(report)).unwrap();
    wait(
        store
            .learnt()
            .learn(learnt("alone@service.example", START + minutes(1))),
    )
    .unwrap();
    // What was learnt first stays, whoever claims the same id later and however.
    let other = |theirs: &str| LearntId {
        ours: "other@desk.example".into(),
        ..learnt(theirs, START + minutes(2))
    };
    wait(store.learnt().learn(other("with@service.example"))).unwrap();
    let mut again = told(&["bob@b.example"]);
    again.ledger.learnt = vec![other("alone@service.example")];
    accept(store.queue(), again);
    store.reopen();
    let ours = |store: &S, account, theirs| wait(store.learnt().ours_of(account, theirs)).unwrap();
    let expected = Some("ours@desk.example".to_owned());
    assert_eq!(ours(&store, "acme", "with@service.example"), expected);
    assert_eq!(ours(&store, "acme", "alone@service.example"), expected);
    assert_eq!(ours(&store, "other", "with@service.example"), None);
    let keep = Keep {
        since: START + minutes(1),
        most: 10,
    };
    assert_eq!(wait(store.learnt().expire_learnt(keep)).unwrap().entries, 1);
    assert_eq!(ours(&store, "acme", "with@service.example"), None);
    assert_eq!(ours(&store, "acme", "alone@service.example"), expected);
    let none = Keep {
        since: START,
        most: 0,
    };
    wait(store.learnt().expire_learnt(none)).unwrap();
    assert_eq!(ours(&store, "acme", "alone@service.example"), None);
    wait(store.learnt().learn(learnt("alone@service.example", START))).unwrap();
    assert_eq!(ours(&store, "acme", "alone@service.example"), expected);
}

fn find_answer<S: StoreUnderTest>(store: &S, program: &str, key: &str) -> Option<KeyedAnswer> {
    wait(store.answers().answer_under("acme", program, key)).unwrap()
}

/// An answer is found from the moment of its commit, is kept over a restart, and outlives its message.
/// A second one under the key does not replace it.
pub fn an_answer_comes_with_its_message<S: StoreUnderTest>() {
    let mut store = S::open();
    let owner = gatepost_spool::Owner::new();
    store.queue().attach(owner, LEASE);
    let new = keyed("token", "order 4711", START);
    let first = new.ledger.answers[0].clone();
    accept(store.queue(), new);
    let found = |store: &S| find_answer(store, "token", "order 4711");
    assert_eq!(found(&store).as_ref(), Some(&first));
    let mut again = keyed("token", "order 4711", START + minutes(1));
    again.ledger.answers[0].answer = "another".into();
    accept(store.queue(), again);
    assert_eq!(found(&store).as_ref(), Some(&first));
    store.reopen();
    assert_eq!(found(&store).as_ref(), Some(&first));
    for claim in claim(store.queue(), START) {
        let recorded = store.queue().record(report(&claim, &delivered()));
        assert!(wait(recorded).unwrap().finished);
    }
    assert_eq!(list(store.admin()).len(), 0);
    assert_eq!(found(&store), Some(first));
}

/// A message that goes to nobody leaves its answer, the longest one and one under the longest key, too.
pub fn an_answer_comes_with_a_message_for_nobody<S: StoreUnderTest>() {
    let mut store = S::open();
    let key = "k".repeat(KeyedAnswer::LONGEST_KEY);
    let mut new = keyed("token", &key, START);
    new.recipients[0].state = InitialState::Suppressed {
        reason: "no".into(),
    };
    new.ledger.answers[0].answer = "a".repeat(KeyedAnswer::LONGEST_ANSWER);
    let answer = new.ledger.answers[0].clone();
    accept(store.queue(), new);
    assert_eq!(find_answer(&store, "token", &key).as_ref(), Some(&answer));
    assert_eq!(list(store.admin()).len(), 0);
    store.reopen();
    assert_eq!(find_answer(&store, "token", &key), Some(answer));
}

/// A message that the store refuses leaves its key free.
pub fn a_message_that_is_not_stored_has_no_answer<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(store.queue(), told(&["bob@b.example"]));
    let mut again = keyed("token", "order 4711", START);
    again.transaction.id = id;
    wait(store.queue().accept(again)).unwrap_err();
    assert_eq!(find_answer(&store, "token", "order 4711"), None);
}

/// Keys of two accounts or programs are two keys, however they are put together.
pub fn an_answer_is_of_one_account_program_and_key<S: StoreUnderTest>() {
    let mut store = S::open();
    for (program, key) in [("a", "1:b:c"), ("a:1", "b:c")] {
        accept(store.queue(), keyed(program, key, START));
    }
    for _ in 0..2 {
        for (program, key) in [("a", "1:b:c"), ("a:1", "b:c")] {
            let found = find_answer(&store, program, key).expect("an answer");
            assert_eq!((&*found.program, &*found.key), (program, key));
        }
        assert_eq!(find_answer(&store, "a", "b:c"), None);
        assert_eq!(find_answer(&store, "b", "1:b:c"), None);
        let others = store.answers().answer_under("other", "a", "1:b:c");
        assert_eq!(wait(others).unwrap(), None);
        store.reopen();
    }
}

/// Answers are dropped after their time, and the oldest beyond the bound; their keys are free then.
pub fn answers_are_dropped_by_age_and_number<S: StoreUnderTest>() {
    let mut store = S::open();
    let keys = ["one", "two", "three", "four"];
    for (minute, key) in (0..).zip(keys) {
        accept(store.queue(), keyed("token", key, START + minutes(minute)));
    }
    let left = |store: &S| keys.map(|key| find_answer(store, "token", key).is_some());
    let expire = |store: &S, minute, most| {
        let since = START + minutes(minute);
        let keep = Keep { since, most };
        wait(store.answers().expire_answers(keep)).unwrap().entries
    };
    assert_eq!(expire(&store, 0, 4), 0);
    assert_eq!(left(&store), [true; 4]);
    assert_eq!(expire(&store, 1, 4), 1);
    assert_eq!(left(&store), [false, true, true, true]);
    assert_eq!(expire(&store, 1, 2), 1);
    assert_eq!(left(&store), [false, false, true, true]);
    let again = keyed("token", "one", START + minutes(9));
    let answer = again.ledger.answers[0].clone();
    accept(store.queue(), again);
    assert_eq!(find_answer(&store, "token", "one").as_ref(), Some(&answer));
    store.reopen();
    assert_eq!(left(&store), [true, false, true, true]);
    assert_eq!(expire(&store, 0, 0), 3);
    assert_eq!(left(&store), [false; 4]);
}

/// A message with a failed recipient is kept when it is finished, and sent again to that one alone.
pub fn failed_mail_is_kept_and_sent_again<S: StoreUnderTest>() {
    let mut store = S::open();
    let id = accept(store.queue(), told(&["bad@b.example", "good@b.example"]));
    let claim = claim_one(store.queue(), START);
    let until = START + minutes(60);
    let mut report = report(&claim, &delivered());
    report.results[0] = RecipientResult::of(0, failed());
    report.keep_until = Some(until);
    assert!(wait(store.queue().record(report)).unwrap().finished);
    assert!(list(store.admin()).is_empty());
    assert!(claim_none(&store));
    store.reopen();
    assert!(claim_none(&store), "a kept message is not due");
    let kept = |store: &S| wait(store.admin().kept_list(Default::default())).unwrap();
    assert_eq!(kept(&store).len(), 1);
    assert_eq!(wait(store.admin().depth()).unwrap().messages, 0);
    let record = wait(store.admin().kept_show(id)).unwrap().unwrap();
    assert_eq!(record.metadata.as_deref(), Some("ticket 4711"));

    let later = START + minutes(30);
    let resend = |store: &S, selection| wait(store.admin().resend(selection, later)).unwrap();
    let good = Selection {
        recipient: Some("good@b.example".into()),
        ..Selection::message(id)
    };
    assert_eq!(resend(&store, good).changed, 0);
    assert_eq!(resend(&store, Selection::message(id)).changed, 1);
    assert!(kept(&store).is_empty());
    let claim = claim_one(store.queue(), later);
    assert_eq!(claim.recipients.len(), 1);
    assert_eq!(claim.recipients[0].address.as_str(), "bad@b.example");
    assert_eq!(claim.recipients[0].attempts, 0);
    assert_eq!(claim.expires_at, later + minutes(5 * 24 * 60));
    assert_eq!(
        octets(&claim.message),
        &b"Subject: hello\r\n\r\nHello.\r\n"[..]
    );
    let delivered = crate::support::report(&claim, &delivered());
    assert!(wait(store.queue().record(delivered)).unwrap().finished);
    assert!(kept(&store).is_empty(), "delivered at last");
}

fn claim_none<S: StoreUnderTest>(store: &S) -> bool {
    claim(store.queue(), START + minutes(10 * 24 * 60)).is_empty()
}

/// Kept mail is dropped after its time, and the oldest beyond the bound.
pub fn kept_mail_is_dropped<S: StoreUnderTest>() {
    let store = S::open();
    for minute in 0..3 {
        accept(store.queue(), told(&["bad@b.example"]));
        let claim = claim_one(store.queue(), START);
        let mut report = report(&claim, &failed());
        report.keep_until = Some(START + minutes(minute));
        wait(store.queue().record(report)).unwrap();
    }
    let expire = |since, most| {
        let keep = Keep { since, most };
        wait(store.admin().expire_kept(keep)).unwrap().entries
    };
    assert_eq!(expire(START, 10), 0);
    assert_eq!(expire(START, 2), 1);
    assert_eq!(expire(START + Duration::from_secs(61), 10), 1);
    assert_eq!(expire(START + minutes(3), 10), 1);
    assert!(
        wait(store.admin().kept_list(Default::default()))
            .unwrap()
            .is_empty()
    );
    assert!(store.close().is_empty());
}

/// A message that waits is told of once when it is late; mail of others is not.
pub fn late_mail_is_told_of_once<S: StoreUnderTest>() {
    let store = S::open();
    let admin = store.admin();
    let id = accept(store.queue(), told(&["a@b.example", "b@b.example"]));
    accept(
        store.queue(),
        message(TransactionId::new(), &["c@b.example"]),
    );
    let late = |now| wait(admin.tell_late(now, minutes(15))).unwrap();
    late(START + minutes(14));
    assert_eq!(all(store.events()).events.len(), 1);
    late(START + minutes(16));
    late(START + minutes(17));
    let page = all(store.events());
    let late: Vec<&StoredEvent> = page.events.iter().skip(1).collect();
    assert_eq!(late.len(), 2, "{late:?}");
    for (stored, recipient) in late.iter().zip(["a@b.example", "b@b.example"]) {
        assert_eq!(stored.event.kind, EventKind::Late { minutes: 16 });
        assert_eq!(stored.event.transaction, Some(id));
        assert_eq!(stored.event.recipient, Some(address(recipient)));
        assert_eq!(stored.event.metadata.as_deref(), Some("ticket 4711"));
    }
}

/// Commands of operators on submitted mail make events.
pub fn commands_of_operators_are_told<S: StoreUnderTest>() {
    let store = S::open();
    let admin = store.admin();
    let id = accept(store.queue(), told(&["a@b.example", "b@b.example"]));
    let one = Selection {
        recipient: Some("a@b.example".into()),
        ..Selection::message(id)
    };
    assert_eq!(wait(admin.cancel(one, START)).unwrap().changed, 1);
    let quarantined = || {
        let mut new = told(&["c@b.example"]);
        new.ledger = Ledger::default();
        new.quarantine = Some(gatepost_spool::Quarantine {
            reason: "odd".into(),
            expires: START + minutes(60),
        });
        accept(store.queue(), new)
    };
    let [released, deleted, _expired] = [(); 3].map(|()| quarantined());
    assert!(wait(admin.quarantine_release(released, START)).unwrap());
    assert!(wait(admin.quarantine_delete(deleted, START)).unwrap());
    wait(admin.quarantine_expire(START + minutes(61))).unwrap();
    let page = all(store.events());
    let expected = [
        EventName::Queued,
        EventName::Cancelled,
        EventName::Queued,
        EventName::Cancelled,
        EventName::Cancelled,
    ];
    assert_eq!(names(&page), expected);
    let recipient = |at: usize| page.events[at].event.recipient.clone();
    assert_eq!(recipient(1), Some(address("a@b.example")));
    assert_eq!(page.events[2].event.transaction, Some(released));

    store.events().set_recording(false);
    wait(admin.cancel(Selection::message(released), START)).unwrap();
    assert_eq!(all(store.events()).events.len(), expected.len());
}
