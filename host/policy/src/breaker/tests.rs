//! The breaker's rules, by example and against arbitrary interleavings of hostile senders.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::*;

const AFTER_COOLDOWN: u64 = COOLDOWN.as_millis() as u64;

fn network(number: u8) -> Sender {
    Sender::Network(IpAddr::V4(Ipv4Addr::new(192, 0, number, 0)))
}

fn digest(number: u32) -> Digest {
    let mut digest = [0; 16];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    Digest(digest)
}

fn fails(breaker: &Breaker, from: u8, account: &str, message: u32, now: u64) -> bool {
    let at = AttributedFault {
        sender: network(from),
        account: Some(account),
        digest: digest(message),
        size: Some(0),
        now,
    };
    breaker.failed_at(at, "p", "trap: unreachable")
}

fn answers(breaker: &Breaker, account: &str, now: u64) {
    breaker.answered_at(Some(account), "p", now);
}

fn admits(breaker: &Breaker, from: u8, account: &str, message: u32, now: u64) -> Admission {
    breaker.admits_at(network(from), Some(account), Some(digest(message)), now)
}

#[test]
fn faults_of_unrelated_senders_of_several_accounts_open_it_for_all() {
    let breaker = Breaker::new();
    for n in 0..UNRELATED as u8 {
        assert_eq!(breaker.state(), BreakerState::Closed, "{n}");
        fails(&breaker, n, ["a", "b"][usize::from(n % 2)], n.into(), 0);
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(
        admits(&breaker, 99, "c", 99, AFTER_COOLDOWN - 1),
        Admission::Open
    );
    assert_eq!(
        admits(&breaker, 99, "c", 99, AFTER_COOLDOWN),
        Admission::Granted,
        "one trial"
    );
    assert_eq!(
        admits(&breaker, 99, "c", 99, AFTER_COOLDOWN),
        Admission::Open,
        "and no second one"
    );
    assert_eq!(
        admits(&breaker, 98, "c", 98, AFTER_COOLDOWN),
        Admission::Granted,
        "of another sender"
    );
    answers(&breaker, "c", AFTER_COOLDOWN);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn faults_of_one_account_open_it_for_that_account_alone() {
    let breaker = Breaker::new();
    for n in 0..3 * UNRELATED as u8 {
        fails(&breaker, n, "broken", n.into(), 0);
    }
    // One fault in another account's mail changes nothing.
    fails(&breaker, 77, "other", 77, 0);
    assert_eq!(breaker.state(), BreakerState::OpenForAccounts(1));
    assert_eq!(admits(&breaker, 50, "broken", 50, 1), Admission::Open);
    assert_eq!(admits(&breaker, 50, "other", 51, 1), Admission::Granted);
    answers(&breaker, "other", 1);
    assert_eq!(
        admits(&breaker, 50, "broken", 50, 1),
        Admission::Open,
        "still"
    );
    answers(&breaker, "broken", 1);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_failed_probe_opens_it() {
    let breaker = Breaker::new();
    let probes = (0..PROBE_AFTER).map(|n| fails(&breaker, 1, "a", n, 0));
    assert_eq!(probes.collect::<Vec<_>>(), [false, false, true]);
    assert!(!fails(&breaker, 1, "a", 9, 1), "not so soon again");
    breaker.probed_at(Some("a"), "p", Some("trap"), 1);
    assert_eq!(breaker.state(), BreakerState::OpenForAccounts(1));
    breaker.probed_at(None, "p", Some("trap"), 1);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn a_failing_sender_cannot_keep_it_open_by_coming_first() {
    let breaker = Breaker::new();
    for n in 0..UNRELATED as u8 {
        fails(&breaker, n, "a", n.into(), 0);
    }
    for round in 1..4 {
        let now = round * AFTER_COOLDOWN;
        assert_eq!(admits(&breaker, 0, "a", 0, now), Admission::Granted);
        fails(&breaker, 0, "a", 0, now);
        assert_eq!(admits(&breaker, 0, "a", 1000, now), Admission::Open);
    }
    assert_eq!(
        admits(&breaker, 200, "a", 200, 3 * AFTER_COOLDOWN),
        Admission::Granted
    );
}

#[test]
fn a_message_that_fails_twice_while_others_are_answered_is_refused() {
    let breaker = Breaker::new();
    fails(&breaker, 1, "a", 7, 0);
    fails(&breaker, 2, "a", 7, 1);
    assert_eq!(
        admits(&breaker, 1, "a", 7, 2),
        Admission::Granted,
        "perhaps the version is broken"
    );
    answers(&breaker, "b", 3);
    assert_eq!(
        admits(&breaker, 1, "a", 7, 4),
        Admission::Granted,
        "or the account's settings"
    );
    answers(&breaker, "a", 5);
    assert_eq!(admits(&breaker, 1, "a", 7, 6), Admission::Repeated);
    assert_eq!(admits(&breaker, 1, "a", 8, 6), Admission::Granted);
}

#[test]
fn without_other_mail_the_probe_decides_that_a_message_is_at_fault() {
    let breaker = Breaker::new();
    for n in 0..MESSAGE_FAULTS_BY_PROBE {
        assert_eq!(admits(&breaker, 1, "a", 7, n.into()), Admission::Granted);
        if fails(&breaker, 1, "a", 7, n.into()) {
            breaker.probed_at(Some("a"), "p", None, n.into());
        }
    }
    assert_eq!(admits(&breaker, 1, "a", 7, 99), Admission::Repeated);
}

#[test]
fn one_sender_cannot_evict_the_messages_of_another() {
    let breaker = Breaker::new();
    fails(&breaker, 1, "a", 7, 0);
    for message in 1000..1000 + 3 * MAX_MESSAGES as u32 {
        fails(&breaker, 2, "a", message, 1);
    }
    assert_eq!(breaker.lock().messages.len(), MAX_MESSAGES);
    fails(&breaker, 1, "a", 7, 2);
    answers(&breaker, "a", 3);
    assert_eq!(admits(&breaker, 1, "a", 7, 4), Admission::Repeated);
}

#[test]
fn all_records_are_dropped_a_day_after_the_last_fault() {
    let breaker = Breaker::new();
    fails(&breaker, 1, "a", 7, 0);
    answers(&breaker, "a", RETENTION.as_millis() as u64 + 1);
    assert!(breaker.healthy.load(Ordering::Acquire));
    assert!(breaker.lock().messages.is_empty());
}

/// Event in the life of a version that answers everything but hostile messages.
#[derive(Debug, Clone)]
enum Event {
    /// One of a few networks sends a message that makes it fail, to some account.
    Hostile { from: u8, account: u8, message: u32 },
    /// One of these networks sends a message that it answers.
    HostileAnswered { from: u8, account: u8 },
    /// Another network sends a message, which it answers.
    Honest { from: u8, account: u8 },
    /// Time passes.
    Later { millis: u64 },
}

fn event() -> impl Strategy<Value = Event> {
    let hostile = 0..UNRELATED as u8 - 1;
    prop_oneof![
        6 => (hostile.clone(), 0..3_u8, 0..5000_u32)
            .prop_map(|(from, account, message)| Event::Hostile { from, account, message }),
        1 => (hostile, 0..3_u8)
            .prop_map(|(from, account)| Event::HostileAnswered { from, account }),
        1 => (100..200_u8, 0..3_u8).prop_map(|(from, account)| Event::Honest { from, account }),
        1 => (0..90_000_u64).prop_map(|millis| Event::Later { millis }),
    ]
}

fn account(number: u8) -> String {
    format!("account-{number}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// However senders of few networks interleave their mail, the breaker never opens, and no
    /// other sender's mail is refused or judged without the version.
    #[test]
    fn few_senders_never_open_it(events in proptest::collection::vec(event(), 1..400)) {
        let breaker = Breaker::new();
        let mut now = 0;
        let mut honest_messages = 1_000_000;
        for event in events {
            match event {
                Event::Hostile { from, account: to, message } => {
                    let to = account(to);
                    if admits(&breaker, from, &to, message, now) == Admission::Granted
                        && fails(&breaker, from, &to, message, now)
                    {
                        // The version is sound: it answers its probe.
                        breaker.probed_at(Some(&to), "p", None, now);
                    }
                }
                Event::HostileAnswered { from, account: to } => {
                    let to = account(to);
                    honest_messages += 1;
                    let admission = admits(&breaker, from, &to, honest_messages, now);
                    prop_assert_eq!(admission, Admission::Granted);
                    answers(&breaker, &to, now);
                }
                Event::Honest { from, account: to } => {
                    let to = account(to);
                    honest_messages += 1;
                    let admission = admits(&breaker, from, &to, honest_messages, now);
                    prop_assert_eq!(admission, Admission::Granted);
                    answers(&breaker, &to, now);
                }
                Event::Later { millis } => now += millis,
            }
            prop_assert_eq!(breaker.state(), BreakerState::Closed);
            prop_assert!(breaker.lock().messages.len() <= MAX_MESSAGES);
        }
    }

    /// Stops calling a version that fails for everybody after the first few unrelated senders,
    /// whatever hostile senders send in between. Once mended, it is called again.
    #[test]
    fn a_broken_version_opens_it_and_a_mended_one_closes_it(
        hostile in proptest::collection::vec((0..4_u8, 0..50_u32), 0..60),
        mended_from in 100..200_u8,
    ) {
        let breaker = Breaker::new();
        let mut hostile = hostile.into_iter();
        let mut calls = 0;
        for n in 0..2 * UNRELATED as u8 {
            for (from, message) in hostile.by_ref().take(3) {
                if admits(&breaker, from, "account-0", message, 0) == Admission::Granted {
                    fails(&breaker, from, "account-0", message, 0);
                }
            }
            let to = account(n % 2);
            let message = 10_000 + u32::from(n);
            match admits(&breaker, 100 + n, &to, message, 0) {
                Admission::Granted => {
                    calls += 1;
                    fails(&breaker, 100 + n, &to, message, 0);
                }
                refused => prop_assert_eq!(refused, Admission::Open),
            }
        }
        prop_assert!(calls <= 2 * UNRELATED);
        prop_assert_ne!(breaker.state(), BreakerState::Closed);
        // No message was taken for the cause.
        prop_assert_eq!(admits(&breaker, 100, "account-0", 10_000, 1), Admission::Open);
        for number in 0..2 {
            let to = account(number);
            let admission = admits(&breaker, mended_from, &to, 99_999, AFTER_COOLDOWN);
            prop_assert_eq!(admission, Admission::Granted);
            answers(&breaker, &to, AFTER_COOLDOWN);
            // The first answer closed it for all and for this account.
            prop_assert_eq!(admits(&breaker, 7, &to, 88_888, AFTER_COOLDOWN), Admission::Granted);
        }
        prop_assert_eq!(breaker.state(), BreakerState::Closed);
    }

    /// Settings of one account that make the version fail open it for that account alone.
    #[test]
    fn one_account_never_opens_it_for_all(senders in prop::collection::vec(0..250_u8, 20..200)) {
        let breaker = Breaker::new();
        for (message, from) in (0..).zip(senders) {
            if admits(&breaker, from, "broken", message, 0) == Admission::Granted {
                fails(&breaker, from, "broken", message, 0);
            }
            let admission = admits(&breaker, from, "sound", 1_000_000 + message, 0);
            prop_assert_eq!(admission, Admission::Granted);
            answers(&breaker, "sound", 0);
            prop_assert_ne!(breaker.state(), BreakerState::Open);
        }
    }
}
