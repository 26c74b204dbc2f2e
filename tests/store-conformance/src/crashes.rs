//! Crashes of a store that claims to survive them.

#![allow(
    missing_docs,
    reason = "the name of a function is the fact that it shows"
)]

use gatepost_message::TransactionId;
use gatepost_model::{Effect, Event, NoticeSubject};
use gatepost_spool::{EventFilter, Keep, Ledger, Pace, Report, Scope, Selection, Staging, Status};

use crate::{
    StoreUnderTest,
    support::{
        LEASE, START, accept, claim_one, deferred, failed, keyed, list, message, minutes, octets,
        report, route, stage, states, wait,
    },
};

/// Header section and body of a large message.
fn large() -> Vec<u8> {
    let mut raw = b"Subject: large\r\n\r\n".to_vec();
    raw.resize(1 << 20, b'x');
    raw
}

pub fn accepted_mail_survives<S: StoreUnderTest>() {
    for attached in [false, true] {
        let mut store = S::open();
        if attached {
            store.queue().attach(gatepost_spool::Owner::new(), LEASE);
        }
        let small = accept(
            store.queue(),
            message(TransactionId::new(), &["bob@a.example"]),
        );
        let id = TransactionId::new();
        let staged = stage(store.bodies(), id, &large(), 7001);
        let mut new = message(id, &["bob@a.example"]);
        (new.head, new.body) = (staged.head, staged.body);
        accept(store.queue(), new);
        store.crash();
        // They are due at once: the lease ended with its owner.
        let [first, second] = [(); 2].map(|()| {
            let claims = store
                .queue()
                .claim(gatepost_spool::Owner::new(), START, 1, LEASE);
            wait(claims).unwrap().remove(0)
        });
        assert_eq!((first.transaction.id, second.transaction.id), (small, id));
        assert_eq!(octets(&second.message), large());
    }
}

pub fn results_of_attempts_survive_with_their_notices<S: StoreUnderTest>() {
    let mut store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let claim = claim_one(store.queue(), START);
    let later = START + minutes(5);
    wait(store.queue().record(report(&claim, &deferred(later)))).unwrap();
    store.crash();
    assert_eq!(wait(store.queue().next_due()).unwrap(), Some(later));
    let claim = claim_one(store.queue(), later);
    assert_eq!(
        (claim.transaction.id, claim.recipients[0].attempts),
        (id, 1)
    );

    let bounce = TransactionId::new();
    let with_bounce = Report {
        notices: vec![message(bounce, &["alice@sender.example"])],
        ..report(&claim, &failed())
    };
    wait(store.queue().record(with_bounce)).unwrap();
    store.crash();
    assert_eq!(claim_one(store.queue(), START).transaction.id, bounce);
}

pub fn events_survive_with_their_numbers<S: StoreUnderTest>() {
    let mut store = S::open();
    let owner = gatepost_spool::Owner::new();
    store.queue().attach(owner, LEASE);
    let event =
        |text: &str| Event::notice(Some("acme".into()), NoticeSubject::Cap, text.into(), START);
    let all = |store: &S| {
        wait(store.events().read(0, EventFilter::default(), 1000))
            .unwrap()
            .events
    };
    let accepted = |store: &S, number: u32| {
        let mut new = message(TransactionId::new(), &["bob@a.example"]);
        new.ledger = Ledger::of([event(&format!("{number}: queued"))]);
        accept(store.queue(), new);
    };
    // In the journal alone, then in the database, then in both.
    accepted(&store, 1);
    accepted(&store, 2);
    let claims = wait(store.queue().claim(owner, START, 1, LEASE)).unwrap();
    let mut delivered = report(&claims[0], &crate::support::delivered());
    delivered.results[0].ledger = Ledger::of([event("1: delivered")]);
    wait(store.queue().record(delivered)).unwrap();
    store.crash();
    let first = all(&store);
    assert_eq!(
        first.iter().map(|stored| stored.seq).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    accepted(&store, 3);
    let claims = wait(store.queue().claim(owner, START, 1, LEASE)).unwrap();
    let mut later = report(&claims[0], &deferred(START + minutes(5)));
    later.results[0].ledger = Ledger::of([event("2: deferred")]);
    wait(store.queue().record(later)).unwrap();
    store.crash();
    let second = all(&store);
    assert_eq!(second[..3], first);
    assert_eq!(second.len(), 5);
    assert!(
        second.is_sorted_by(|one, next| one.seq < next.seq),
        "{second:?}"
    );
    store.crash();
    assert_eq!(all(&store), second);
}

/// Whatever of a request survives, message and answer do so together: in the journal alone, after a
/// checkpoint, and where the message was delivered before.
pub fn answers_survive_with_their_message<S: StoreUnderTest>() {
    let mut store = S::open();
    let owner = gatepost_spool::Owner::new();
    store.queue().attach(owner, LEASE);
    let answer = |store: &S, key| wait(store.answers().answer_under("acme", "token", key)).unwrap();
    let first = keyed("token", "delivered", START);
    accept(store.queue(), first.clone());
    let claims = wait(store.queue().claim(owner, START, 1, LEASE)).unwrap();
    let delivered = report(&claims[0], &crate::support::delivered());
    assert!(wait(store.queue().record(delivered)).unwrap().finished);
    let second = keyed("token", "queued", START);
    let id = accept(store.queue(), second.clone());
    store.crash();
    for _ in 0..2 {
        let found = [answer(&store, "delivered"), answer(&store, "queued")];
        let answers = [&first, &second].map(|new| new.ledger.answers.first().cloned());
        assert_eq!(found, answers);
        assert_eq!(answer(&store, "other"), None);
        store.crash();
    }
    assert_eq!(list(store.admin()).len(), 1);
    assert_eq!(states(store.admin(), id), [Status::Queued]);
    let none = Keep {
        since: START,
        most: 0,
    };
    let dropped = wait(store.answers().expire_answers(none)).unwrap();
    assert_eq!(dropped.entries, 2);
    store.crash();
    assert_eq!(answer(&store, "queued"), None);
}

pub fn routes_survive<S: StoreUnderTest>() {
    let mut store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let claim = claim_one(store.queue(), START);
    let attention = START + minutes(20);
    let mut routed = report(&claim, &deferred(START + minutes(5)));
    routed.results[0].route = Some(route("a.example"));
    routed.results[0].attention_at = Some(attention);
    wait(store.queue().record(routed)).unwrap();
    store.crash();
    let closed = Pace {
        in_hand: 0,
        not_before: START,
    };
    let key = route("a.example").destination.key();
    store.queue().set_pace(&key, closed);
    assert_eq!(wait(store.queue().next_due()).unwrap(), Some(attention));
    let claim = claim_one(store.queue(), attention);
    assert_eq!(claim.transaction.id, id);
    assert_eq!(claim.recipients[0].route, Some(route("a.example")));
}

pub fn commands_of_operators_survive<S: StoreUnderTest>() {
    let mut store = S::open();
    let [held, cancelled] = [(); 2].map(|()| {
        accept(
            store.queue(),
            message(TransactionId::new(), &["bob@a.example"]),
        )
    });
    wait(store.admin().hold(Selection::message(held))).unwrap();
    wait(store.admin().cancel(Selection::message(cancelled), START)).unwrap();
    store.crash();
    assert_eq!(states(store.admin(), held), [Status::Held]);
    assert_eq!(list(store.admin()).len(), 1);
}

pub fn effects_survive_with_a_message_and_without<S: StoreUnderTest>() {
    let mut store = S::open();
    let mine = Scope {
        policy: "p".into(),
        account: Some("acme".into()),
    };
    let count = |amount| Effect::Count {
        key: "k".into(),
        amount,
    };
    let mut new = message(TransactionId::new(), &["bob@a.example"]);
    new.effects = vec![(mine.clone(), count(2))];
    accept(store.queue(), new);
    wait(
        store
            .counters()
            .apply(vec![(mine.clone(), count(3))], START),
    )
    .unwrap();
    store.crash();
    assert_eq!(store.counters().counted(&mine, "k", 60, START), 5);
}

pub fn a_body_that_was_not_accepted_is_removed<S: StoreUnderTest>() {
    let mut store = S::open();
    let staged = stage(store.bodies(), TransactionId::new(), &large(), 7001);
    let mut begun = Staging::begin(store.bodies(), TransactionId::new()).unwrap();
    std::io::Write::write_all(&mut begun, &large()).unwrap();
    assert_eq!(store.body_ids().len(), 2);
    // The process died: nothing was dropped.
    std::mem::forget((staged, begun));
    store.crash();
    assert!(store.body_ids().is_empty());
}
