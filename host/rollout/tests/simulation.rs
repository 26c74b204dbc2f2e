//! The thresholds in simulated traffic: what is good enough is let through, small numbers trip
//! nothing, and what is bad is found within some tens of calls. Every seed is fixed.

use gatepost_rollout::{Breach, LEAST_CALLS, Observation, Ppm, RateTest, RolloutHarm, Thresholds};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Returns the call at which a run trips, if it does.
fn trips(
    random: &mut StdRng,
    threshold: Ppm,
    rate: impl Fn(u64) -> f64,
    calls: u64,
) -> Option<u64> {
    let mut test = RateTest::new(threshold);
    (1..=calls).find(|call| test.count(random.random_bool(rate(*call))))
}

/// Each run looks after each call. At the very threshold, the worst rate that is good enough, at most
/// one run in a thousand may trip; twelve of 4,000 would do so by chance in one case of a thousand.
#[test]
fn a_rate_at_its_threshold_trips_in_few_runs_however_often_one_looks() {
    for (seed, percent) in [(1, 1.0), (2, 0.1), (3, 10.0), (4, 50.0)] {
        let mut random = StdRng::seed_from_u64(seed);
        let threshold: Ppm = percent.to_string().parse().unwrap_or_default();
        let rate = percent / 100.0;
        let runs = (0..4_000).filter_map(|_| trips(&mut random, threshold, |_| rate, 3_000));
        let tripped = runs.count();
        println!("seed {seed}: {tripped} of 4000 runs tripped at {threshold}");
        assert!(tripped <= 12, "seed {seed}: {tripped}");
    }
}

#[test]
fn small_numbers_trip_nothing() {
    for threshold in [
        Ppm::default(),
        Ppm::parts(1),
        Ppm::parts(1_000),
        Ppm::percent(1),
    ] {
        // Few calls, all of them bad.
        let mut test = RateTest::new(threshold);
        assert!((1..LEAST_CALLS).all(|_| !test.count(true)), "{threshold}");
        // Few bad calls, at the beginning or in the midst of others.
        for others in [0, 20, 400, 5_000] {
            let mut test = RateTest::new(threshold);
            assert!((0..others).all(|_| !test.count(false)));
            assert!((0..4).all(|_| !test.count(true)), "{threshold}, {others}");
            assert!((0..1_000).all(|_| !test.count(false)));
        }
    }
}

#[test]
fn a_bad_version_is_found_within_some_tens_of_calls() {
    for seed in 10..14 {
        let mut random = StdRng::seed_from_u64(seed);
        let found: Vec<u64> = (0..1_000)
            .map(|_| trips(&mut random, Ppm::percent(1), |_| 0.5, 1_000).unwrap_or(1_000))
            .collect();
        let latest = found.iter().max().copied().unwrap_or_default();
        println!("seed {seed}: the latest of 1000 runs tripped at call {latest}");
        assert!(latest <= 40, "seed {seed}: {latest}");
    }
    let mut random = StdRng::seed_from_u64(14);
    let twice = trips(&mut random, Ppm::percent(1), |_| 0.03, 20_000);
    assert!(twice.is_some_and(|call| call < 3_000), "{twice:?}");
}

/// Ten thousand good calls do not hide what comes after them.
#[test]
fn a_version_that_goes_wrong_late_is_found() {
    for seed in 20..24 {
        let mut random = StdRng::seed_from_u64(seed);
        let good = 10_000;
        let rate = |call| if call <= good { 0.001 } else { 0.5 };
        let found = (0..200)
            .map(|_| trips(&mut random, Ppm::percent(1), rate, good + 1_000).unwrap_or(u64::MAX));
        let latest = found.max().unwrap_or_default().saturating_sub(good);
        println!("seed {seed}: the latest of 200 runs tripped {latest} calls after the change");
        assert!(latest <= 80, "seed {seed}: {latest}");
    }
}

#[test]
fn a_threshold_of_nothing_trips_at_the_fifth_event() {
    let mut test = RateTest::new(Ppm::default());
    assert!((0..10_000).all(|_| !test.count(false)));
    let at = (1..=10).find(|_| test.count(true));
    assert_eq!(at, Some(5));
    // And where any rate is right, nothing trips.
    let mut any = RateTest::new(Ppm::ALL);
    assert!((0..10_000).all(|_| !any.count(true)));
    assert!(!any.is_in_doubt());
}

#[test]
fn a_breach_has_its_figures() {
    let thresholds = Thresholds {
        max_changed: None,
        ..Thresholds::default()
    };
    let mut watch = thresholds.watch();
    let slow = Observation {
        changed: true,
        micros: 20_000,
        ..Observation::default()
    };
    let mut breaches = (0..100).filter_map(|_| watch.observe(slow).cloned());
    let breach = breaches
        .next()
        .unwrap_or_else(|| panic!("nothing was found"));
    assert_eq!(breaches.next(), None, "it is told once");
    let Breach {
        harm,
        events,
        calls,
        ..
    } = breach;
    assert_eq!(
        (harm, events, calls),
        (RolloutHarm::Slow, LEAST_CALLS, LEAST_CALLS)
    );
    assert_eq!(breach.to_string(), "30 of 30 calls were slow, more than 1%");
    let counts = watch.counts();
    assert_eq!(
        (counts.compared, counts.changed, counts.slow),
        (100, 100, 100)
    );
    assert!(!watch.is_clear());
}

#[test]
fn a_rate_in_doubt_holds_a_rollout_up() {
    let mut watch = Thresholds::default().watch();
    let call = |changed| Observation {
        changed,
        ..Observation::default()
    };
    for number in 0..30 {
        assert_eq!(watch.observe(call(number % 8 == 0)), None);
    }
    assert!(!watch.is_clear(), "4 of 30, where 1 % is the limit");
    for _ in 0..1_000 {
        watch.observe(call(false));
    }
    assert!(watch.is_clear(), "4 of 1,030 is less than 1 %");
}
