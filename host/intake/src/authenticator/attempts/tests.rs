use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::*;

const ALLOWANCE: Allowance = Allowance {
    per_address: 4,
    per_user: 3,
    time: Duration::from_secs(60),
    delay: Duration::from_secs(1),
};

/// Polls a beginning attempt once; `Pending` if it waits for others.
fn begin(
    attempts: &Arc<AuthenticationAttempts>,
    allowance: &Allowance,
    from: IpAddr,
    user: &str,
) -> Poll<Option<AuthenticationAttempt>> {
    let attempt = pin!(attempts.begin(allowance, from, user));
    attempt.poll(&mut Context::from_waker(Waker::noop()))
}

/// Begins an attempt that need not wait.
fn alone(
    attempts: &Arc<AuthenticationAttempts>,
    from: IpAddr,
    user: &str,
    allowance: &Allowance,
) -> AuthenticationAttempt {
    match begin(attempts, allowance, from, user) {
        Poll::Ready(Some(attempt)) => attempt,
        refused => panic!("{refused:?}"),
    }
}

fn failed(
    attempts: &Arc<AuthenticationAttempts>,
    allowance: &Allowance,
    from: IpAddr,
    user: &str,
) -> Duration {
    let allowance = Allowance {
        per_address: u32::MAX,
        per_user: u32::MAX,
        ..*allowance
    };
    alone(attempts, from, user, &allowance).failed()
}

fn succeeded(attempts: &Arc<AuthenticationAttempts>, from: IpAddr, user: &str) {
    alone(attempts, from, user, &ALLOWANCE).succeeded();
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn replies_are_delayed_longer_until_attempts_are_refused() {
    let attempts = Arc::<AuthenticationAttempts>::default();
    let (one, other) = (address("2001:db8::1"), address("2001:db8::ffff:1"));
    for (number, seconds) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
        let user = format!("user{number}");
        assert!(attempts.admits(&ALLOWANCE, one, &user));
        let delay = failed(&attempts, &ALLOWANCE, other, &user);
        assert_eq!(delay, Duration::from_secs(seconds));
    }
    assert!(!attempts.admits(&ALLOWANCE, one, "user5"));
    assert!(attempts.admits(&ALLOWANCE, address("2001:db8:0:1::1"), "user5"));
}

#[test]
fn a_user_is_limited_everywhere_but_at_known_addresses() {
    let attempts = Arc::<AuthenticationAttempts>::default();
    succeeded(&attempts, address("192.0.2.1"), "user");
    for last in 2..5 {
        failed(
            &attempts,
            &ALLOWANCE,
            address(&format!("192.0.2.{last}")),
            "user",
        );
    }
    assert!(!attempts.admits(&ALLOWANCE, address("192.0.2.9"), "user"));
    assert!(attempts.admits(&ALLOWANCE, address("192.0.2.9"), "other"));
    assert!(attempts.admits(&ALLOWANCE, address("::ffff:192.0.2.1"), "user"));
}

/// A customer's own server: somebody guesses from behind its address, or it has the old password
/// itself for a while.
#[test]
fn a_known_address_has_a_count_of_its_own() {
    let attempts = Arc::<AuthenticationAttempts>::default();
    let home = address("192.0.2.1");
    succeeded(&attempts, home, "user");
    for number in 0..4 {
        failed(&attempts, &ALLOWANCE, home, &format!("guess{number}"));
    }
    assert!(!attempts.admits(&ALLOWANCE, home, "guess9"));
    for _ in 0..2 {
        failed(&attempts, &ALLOWANCE, home, "user");
    }
    assert!(attempts.admits(&ALLOWANCE, home, "user"));
    succeeded(&attempts, home, "user");
    for _ in 0..3 {
        assert!(attempts.admits(&ALLOWANCE, home, "user"));
        failed(&attempts, &ALLOWANCE, home, "user");
    }
    assert!(!attempts.admits(&ALLOWANCE, home, "user"));
}

#[test]
fn counts_expire_and_are_bounded() {
    let attempts = Arc::<AuthenticationAttempts>::default();
    let at_once = Allowance {
        time: Duration::ZERO,
        per_user: 1,
        ..ALLOWANCE
    };
    failed(&attempts, &at_once, address("192.0.2.1"), "user");
    assert!(attempts.admits(&at_once, address("192.0.2.1"), "user"));
    let once = Allowance {
        per_user: 1,
        ..ALLOWANCE
    };
    for number in 0..MOST {
        failed(&attempts, &once, address("192.0.2.1"), &number.to_string());
    }
    assert!(attempts.lock().remembered.len() <= MOST);
    let last = (MOST - 1).to_string();
    assert!(!attempts.admits(&once, address("192.0.2.2"), &last));
    assert!(attempts.admits(&once, address("192.0.2.2"), "0"));
}

/// Sessions that guess in parallel: until the first have failed, no more are checked than may fail.
#[test]
fn parallel_guesses_are_counted_before_they_are_checked() {
    let attempts = Arc::<AuthenticationAttempts>::default();
    let from = address("192.0.2.1");
    let user = |number: usize| format!("user{number}");
    let mut begun = Vec::new();
    for number in 0..4 {
        begun.push(alone(&attempts, from, &user(number), &ALLOWANCE));
    }
    // The fifth may try when one of the four is settled.
    let user_five = user(5);
    let mut fifth = pin!(attempts.begin(&ALLOWANCE, from, &user_five));
    let mut context = Context::from_waker(Waker::noop());
    assert!(fifth.as_mut().poll(&mut context).is_pending());
    assert!(attempts.admits(&ALLOWANCE, from, &user_five));
    begun.pop().unwrap().succeeded();
    let Poll::Ready(Some(fifth)) = fifth.as_mut().poll(&mut context) else {
        panic!("the attempt that a success has given back is not admitted");
    };
    begun.push(fifth);
    let user_six = user(6);
    let mut sixth = pin!(attempts.begin(&ALLOWANCE, from, &user_six));
    assert!(sixth.as_mut().poll(&mut context).is_pending());
    for attempt in begun {
        attempt.failed();
    }
    assert!(matches!(
        sixth.as_mut().poll(&mut context),
        Poll::Ready(None)
    ));
}

/// A session that is cut off while its password is checked has had its guess.
#[test]
fn an_attempt_that_is_dropped_has_failed() {
    let attempts = Arc::<AuthenticationAttempts>::default();
    let from = address("192.0.2.1");
    for _ in 0..3 {
        drop(alone(&attempts, from, "user", &ALLOWANCE));
    }
    assert!(!attempts.admits(&ALLOWANCE, from, "user"));
    assert!(attempts.lock().begun.is_empty());
}

/// A server that logs in over as many connections as it may have, all at once, is never told that
/// it has failed too often.
#[test]
fn correct_logins_are_admitted_however_many_come_at_once() {
    let attempts = Arc::<AuthenticationAttempts>::default();
    let home = address("192.0.2.1");
    succeeded(&attempts, home, "user");
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting: Vec<_> = (0..50)
        .map(|_| Box::pin(attempts.begin(&ALLOWANCE, home, "user")))
        .collect();
    let mut rounds = 0;
    while !waiting.is_empty() {
        let mut begun = Vec::new();
        waiting.retain_mut(|one| match one.as_mut().poll(&mut context) {
            Poll::Pending => true,
            Poll::Ready(None) => panic!("refused without a failure"),
            Poll::Ready(Some(attempt)) => {
                begun.push(attempt);
                false
            }
        });
        assert!(begun.len() <= 3, "{}", begun.len());
        begun.into_iter().for_each(AuthenticationAttempt::succeeded);
        rounds += 1;
    }
    assert_eq!(rounds, 17);
}

#[derive(Debug, Clone)]
enum Step {
    Begin(usize, usize),
    End(prop::sample::Index, bool),
}

proptest! {
    /// However attempts overlap: no more fail than may, by address and by user, and one is refused
    /// only where that many have failed.
    #[test]
    fn no_more_fail_than_may(
        steps in prop::collection::vec(
            prop_oneof![
                3 => (0..2_usize, 0..3_usize).prop_map(|(from, user)| Step::Begin(from, user)),
                2 => (any::<prop::sample::Index>(), any::<bool>())
                    .prop_map(|(which, right)| Step::End(which, right)),
            ],
            0..80,
        ),
    ) {
        let from = ["192.0.2.1", "2001:db8::1"].map(address);
        let users = ["ann", "bob", "eve"];
        let attempts = Arc::<AuthenticationAttempts>::default();
        let mut begun: Vec<(usize, usize, bool, AuthenticationAttempt)> = Vec::new();
        let mut known = [[false; 3]; 2];
        // Failures that began where the address was not known: those that the two counts bound.
        let (mut by_address, mut by_user) = ([0_u32; 2], [0_u32; 3]);
        let mut all_by_address = [0_u32; 2];
        let mut all_by_user = [0_u32; 3];
        for step in steps {
            match step {
                Step::Begin(f, u) => match begin(&attempts, &ALLOWANCE, from[f], users[u]) {
                    Poll::Ready(Some(attempt)) => begun.push((f, u, known[f][u], attempt)),
                    Poll::Ready(None) => prop_assert!(
                        known[f][u]
                            || all_by_address[f] >= ALLOWANCE.per_address
                            || all_by_user[u] >= ALLOWANCE.per_user
                    ),
                    Poll::Pending => prop_assert!(!begun.is_empty()),
                },
                Step::End(which, right) => {
                    if begun.is_empty() {
                        continue;
                    }
                    let (f, u, was_known, attempt) = begun.swap_remove(which.index(begun.len()));
                    if right {
                        attempt.succeeded();
                        known[f][u] = true;
                    } else {
                        attempt.failed();
                        all_by_address[f] += 1;
                        all_by_user[u] += 1;
                        if !was_known {
                            by_address[f] += 1;
                            by_user[u] += 1;
                        }
                    }
                }
            }
            prop_assert!(by_address.iter().all(|n| *n <= ALLOWANCE.per_address));
            prop_assert!(by_user.iter().all(|n| *n <= ALLOWANCE.per_user));
        }
    }
}
