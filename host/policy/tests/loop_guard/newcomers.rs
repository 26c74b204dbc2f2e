//! Newcomers: people who write for the first time, each of whom gets an acknowledgement, and loops
//! that look like newcomers in every respect. The tests count the acknowledgements that are
//! suppressed, and the messages before a loop ends.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gatepost_sdk::Flow;
use loop_guard::Settings;

use crate::exchanges::{DESK, SimulatedRelay};

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Number of messages after which a loop counts as endless.
const ENDLESS: u64 = 2000;

/// Random numbers with a fixed seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// Returns `count` random times, in seconds, from `begin` on.
    fn moments(&mut self, begin: u64, seconds: u64, count: u64) -> Vec<u64> {
        (0..count).map(|_| begin + self.below(seconds)).collect()
    }
}

/// Correspondent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Correspondent {
    /// Person, who writes once.
    Customer,
    /// Machine, which writes again `pace` seconds after each answer.
    Loop { pace: u64 },
}

/// Event to come, with the number of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Message of a correspondent arrives.
    Received(Correspondent, u64),
    /// Application acknowledges it.
    Acknowledged(Correspondent, u64),
    /// Agent answers it, without a trigger.
    Answered(u64),
}

/// Result of a simulation.
#[derive(Debug, Default)]
struct Outcome {
    /// For each day, the number of customers who wrote, and of those without an acknowledgement.
    left_out: Vec<(u64, u64)>,
    /// Number of messages of the loops, both ways.
    letters: u64,
    /// Time of the last message of a loop, in seconds.
    ended: u64,
}

/// Simulates customers who write at these times, in seconds, and loops with their begin and pace.
/// The application acknowledges each message after three seconds, with the trigger `automatic`, and
/// ignores all tags.
fn simulate(customers: &[u64], loops: &[(u64, u64)]) -> Outcome {
    simulate_with(Settings::default(), customers, loops, false)
}

/// Simulates with these settings. With `agents`, each customer is also answered within the hour.
fn simulate_with(
    settings: Settings,
    customers: &[u64],
    loops: &[(u64, u64)],
    agents: bool,
) -> Outcome {
    let mut random = Random(77);
    let mut relay = SimulatedRelay::new(settings);
    let begin = relay.now;
    let mut events = BinaryHeap::new();
    let mut number = 0;
    let of_customers = customers.iter().map(|at| (*at, Correspondent::Customer));
    let of_loops = loops
        .iter()
        .map(|(at, pace)| (*at, Correspondent::Loop { pace: *pace }));
    for (at, correspondent) in of_customers.chain(of_loops) {
        number += 1;
        events.push(Reverse((at, Event::Received(correspondent, number))));
    }
    let mut outcome = Outcome::default();
    while let Some(Reverse((at, event))) = events.pop() {
        relay.now = begin + at * 1000;
        let address = |number: u64| match number % 3 {
            0 => format!("somebody{number}@mail.example"),
            _ => format!("somebody@d{number}.example"),
        };
        match event {
            Event::Received(correspondent, number) => {
                let from = address(number);
                let words = (0..12).map(|at| format!("w{}", in_letters(number * 12 + at)));
                let words = words.collect::<Vec<_>>().join(" ");
                let message = format!(
                    "From: {from}\r\nTo: {DESK}\r\nSubject: {}\r\nThread-Index: AQHa{number}\r\n\
                     Message-ID: <{number}@o.example>\r\nX-Mailer: Microsoft Outlook 16.0\r\n\
                     \r\n{words}\r\n",
                    in_letters(number)
                );
                let came = relay.send(Flow::Inbound, &from, DESK, &message);
                assert!(came.passed(), "{number}: {came:?}");
                events.push(Reverse((
                    at + 3,
                    Event::Acknowledged(correspondent, number),
                )));
                if let Correspondent::Loop { .. } = correspondent {
                    outcome.letters += 1;
                    outcome.ended = at;
                }
            }
            Event::Answered(of) => {
                let to = address(of);
                let words = (0..12).map(|at| format!("a{}", in_letters(of * 12 + at)));
                let words = words.collect::<Vec<_>>().join(" ");
                let message = format!(
                    "From: {DESK}\r\nTo: {to}\r\nSubject: Re: {}\r\n\
                     Message-ID: <a{of}@desk.example>\r\nIn-Reply-To: <{of}@o.example>\r\n\
                     \r\n{words}\r\n",
                    in_letters(of)
                );
                let went = relay.send(Flow::Submission, DESK, &to, &message);
                assert!(went.passed(), "{of}: {went:?}");
            }
            Event::Acknowledged(correspondent, of) => {
                let to = address(of);
                let message = format!(
                    "From: {DESK}\r\nTo: {to}\r\nX-Gatepost-Trigger: automatic\r\n\
                     Subject: Received\r\nMessage-ID: <{of}@desk.example>\r\n\r\n\
                     We have received your mail {of}.\r\n"
                );
                let passed = relay.send(Flow::Submission, DESK, &to, &message).passed();
                match correspondent {
                    Correspondent::Customer => {
                        if agents {
                            let after = MINUTE + random.below(HOUR);
                            events.push(Reverse((at + after, Event::Answered(of))));
                        }
                        let day = (at / DAY) as usize;
                        let days = outcome.left_out.len().max(day + 1);
                        outcome.left_out.resize(days, (0, 0));
                        outcome.left_out[day].0 += 1;
                        outcome.left_out[day].1 += u64::from(!passed);
                    }
                    Correspondent::Loop { pace } if passed && outcome.letters < ENDLESS => {
                        outcome.letters += 1;
                        number += 1;
                        events.push(Reverse((at + pace, Event::Received(correspondent, number))));
                    }
                    Correspondent::Loop { .. } => {}
                }
            }
        }
    }
    outcome
}

/// Returns a number in letters, since the policy ignores digits.
fn in_letters(number: u64) -> String {
    let figures = number.to_string();
    figures
        .bytes()
        .map(|of| char::from(of - b'0' + b'a'))
        .collect()
}

/// Returns times on working days, on each of which this number of customers write between eight and
/// five.
fn working_days(random: &mut Random, days: u64, customers: u64) -> Vec<u64> {
    let each = (0..days).map(|day| random.moments(day * DAY + 8 * HOUR, 9 * HOUR, customers));
    each.collect::<Vec<_>>().concat()
}

/// Returns for each day the number of customers who wrote, and of those without an
/// acknowledgement.
fn left_out(customers: &[u64]) -> Vec<(u64, u64)> {
    let left_out = simulate(customers, &[]).left_out;
    println!("{left_out:?}");
    left_out
}

/// Returns the number of customers without an acknowledgement on these days.
fn sum(days: &[(u64, u64)]) -> u64 {
    days.iter().map(|(_, left_out)| left_out).sum()
}

#[test]
fn customers_are_acknowledged_once_their_number_is_usual() {
    for seed in 0..3 {
        for (customers, first, later) in [(5, 0, 0), (100, 10, 0), (500, 25, 0), (2000, 80, 0)] {
            let days = if customers > 500 { 2 } else { 5 };
            let days = left_out(&working_days(&mut Random(seed), days, customers));
            assert!(sum(&days[..1]) <= first, "{customers}: {days:?}");
            assert!(sum(&days[1..]) <= later, "{customers}: {days:?}");
        }
        // A rate near the limit becomes usual within the first days.
        for customers in [10, 20, 40] {
            let days = left_out(&working_days(&mut Random(seed), 12, customers));
            assert!(sum(&days) <= 14, "{customers}: {days:?}");
            assert!(sum(&days[6..]) <= 2, "{customers}: {days:?}");
        }
    }
}

/// Shows that agents' answers do not keep the policy from ending a loop: only automatic mail
/// counts.
#[test]
fn agents_without_a_trigger_change_little() {
    for customers in [20, 100, 500] {
        let days = working_days(&mut Random(customers), 5, customers);
        let days = simulate_with(Settings::default(), &days, &[], true).left_out;
        println!("{days:?}");
        assert!(sum(&days[..1]) <= 25 && sum(&days[1..]) <= 3, "{days:?}");
    }
    let days = working_days(&mut Random(1), 5, 100);
    let outcome = simulate_with(
        Settings::default(),
        &days,
        &[(3 * DAY + 10 * HOUR, 10)],
        true,
    );
    assert!(outcome.letters <= 60, "{outcome:?}");
}

/// Sends three hundred messages within ten minutes, and a thousand in an afternoon, to desks of any
/// size.
#[test]
fn most_messages_of_an_outage_or_a_campaign_are_acknowledged() {
    for (usual, begin) in [(0, 0), (20, 4 * DAY), (100, 4 * DAY)] {
        for (seconds, count, most) in [(10 * MINUTE, 300, 90), (5 * HOUR, 1000, 90)] {
            let mut random = Random(usual);
            let mut all = working_days(&mut random, 4, usual);
            all.extend(random.moments(begin + 12 * HOUR, seconds, count));
            let days = left_out(&all);
            let (wrote, left_out) = days[days.len() - 1];
            assert_eq!(wrote, count);
            assert!(left_out <= most, "{days:?}");
        }
    }
}

/// Allows for an hour without acknowledgements once a week.
#[test]
fn most_customers_of_a_desk_that_never_closes_are_acknowledged() {
    let days = left_out(&Random(1).moments(0, 14 * DAY, 14 * 300));
    for week in days.chunks(7) {
        assert!(sum(week) <= 60, "{days:?}");
    }
    // With few customers, one hour does not show that their number is usual.
    let days = left_out(&Random(1).moments(0, 14 * DAY, 14 * 40));
    assert!(sum(&days) * 8 <= 14 * 40, "{days:?}");
}

/// Returns the messages and minutes of a loop that begins on the fourth day at ten.
fn loop_among(customers: u64, pace: u64) -> (u64, u64) {
    const BEGIN: u64 = 3 * DAY + 10 * HOUR;
    let all = working_days(&mut Random(customers), 6, customers);
    let outcome = simulate(&all, &[(BEGIN, pace)]);
    let taken = (outcome.letters, (outcome.ended - BEGIN) / MINUTE);
    println!(
        "pace {pace} s among {customers} a day: {taken:?} {:?}",
        outcome.left_out
    );
    let after = outcome.left_out.get(4..).map_or(0, sum);
    assert!(customers == 0 || after <= 5, "{:?}", outcome.left_out);
    taken
}

#[test]
fn a_loop_like_newcomers_at_a_quiet_desk_ends_after_a_few_messages() {
    for customers in [0, 5] {
        for pace in [2, 10, 30, MINUTE] {
            let (letters, _) = loop_among(customers, pace);
            assert!(letters <= 10, "{letters}, {pace}");
        }
        let (letters, _) = loop_among(customers, 4 * MINUTE);
        assert!(letters <= 14, "{letters}");
    }
}

#[test]
fn without_the_limit_a_loop_like_newcomers_does_not_end() {
    let mut settings = Settings::default();
    settings.limits.newcomers = 0;
    let outcome = simulate_with(settings, &[], &[(0, 10)], false);
    assert!(outcome.letters >= ENDLESS, "{outcome:?}");
}

#[test]
fn a_loop_among_many_customers_ends_after_some_tens_of_messages() {
    for (customers, most) in [(20, 60), (100, 60), (500, 250)] {
        for pace in [2, 10, 30] {
            let (letters, _) = loop_among(customers, pace);
            assert!(letters <= most, "{letters}, {customers} {pace}");
        }
    }
}

/// Lets loops run over night, and begins a second one in the same week: the account must not be
/// taken for one that never closes.
#[test]
fn a_slow_loop_ends_within_a_day_and_another_within_two() {
    for customers in [0, 20, 500] {
        for pace in [4 * MINUTE, 15 * MINUTE, 30 * MINUTE, 59 * MINUTE] {
            let (_, minutes) = loop_among(customers, pace);
            assert!(minutes <= 24 * 60, "{customers} {pace}: {minutes}");
        }
    }
    const SECOND: u64 = 3 * DAY;
    let days = working_days(&mut Random(9), 8, 12);
    let outcome = simulate(&days, &[(10 * HOUR, 30 * MINUTE), (SECOND, 30 * MINUTE)]);
    assert!(
        outcome.ended > SECOND && outcome.ended <= SECOND + 2 * DAY,
        "{outcome:?}"
    );
}

/// Counts the most look-ups for a newcomer's message and for the answer to it.
#[test]
fn a_newcomer_costs_a_few_look_ups() {
    for (customers, most) in [(0, [6, 10]), (500, [13, 10])] {
        let mut relay = SimulatedRelay::new(Settings::default());
        let begin = relay.now;
        let mut days = working_days(&mut Random(3), 3, customers);
        days.sort_unstable();
        let mut most_look_ups = [0, 0];
        for (number, at) in days.into_iter().chain([2 * DAY + 17 * HOUR]).enumerate() {
            relay.now = begin + at * 1000;
            let from = format!("{}@d{number}.example", "x".repeat(200));
            let message = |fields: &str| {
                format!("{fields}Message-ID: <{number}@o.example>\r\n\r\nNumber {number}\r\n")
            };
            let first = message(&format!("From: {from}\r\nTo: {DESK}\r\n"));
            let answer = message(&format!(
                "From: {DESK}\r\nTo: {from}\r\nX-Gatepost-Trigger: automatic\r\n"
            ));
            for (flow, of) in [(Flow::Inbound, 0), (Flow::Submission, 1)] {
                relay.look_ups.set(0);
                match flow {
                    Flow::Inbound => relay.send(flow, &from, DESK, &first),
                    _ => relay.send(flow, DESK, &from, &answer),
                };
                most_look_ups[of] = relay.look_ups.get().max(most_look_ups[of]);
            }
        }
        println!("{customers}: {most_look_ups:?}");
        assert!(
            most_look_ups[0] <= most[0] && most_look_ups[1] <= most[1],
            "{most_look_ups:?}"
        );
    }
}
