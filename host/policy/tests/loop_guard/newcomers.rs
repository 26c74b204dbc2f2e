//! Desks to which people write who never wrote before, each of whom gets an acknowledgement, and
//! loops that look as they do in every respect: how many acknowledgements are left out, and how
//! many letters a loop takes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gatepost_sdk::Flow;
use loop_guard::Settings;

use crate::exchanges::{DESK, World};

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Letters after which a loop is taken to go on for ever.
const END: u64 = 2000;

/// Chance that repeats (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// So many moments of this time, in seconds.
    fn moments(&mut self, begin: u64, seconds: u64, count: u64) -> Vec<u64> {
        (0..count).map(|_| begin + self.below(seconds)).collect()
    }
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Customer,
    /// A machine, which writes again so many seconds after each answer.
    Loop {
        pace: u64,
    },
}

/// What is to happen: a letter of somebody's comes, or their acknowledgement is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Comes(Who, u64),
    Acknowledged(Who, u64),
    /// An agent answers, and the application does not say so.
    Answered(u64),
}

/// What became of it.
#[derive(Debug, Default)]
struct Outcome {
    /// By the day, how many customers wrote and how many of them got no acknowledgement.
    left_out: Vec<(u64, u64)>,
    /// Letters of the loops, both ways.
    letters: u64,
    /// When the last of them went, in seconds.
    ended: u64,
}

/// Customers who write at these moments, in seconds, and loops that begin at those. The application
/// acknowledges what comes in after three seconds, says that it does so by itself, and heeds
/// nothing.
fn play(customers: &[u64], loops: &[(u64, u64)]) -> Outcome {
    play_with(Settings::default(), customers, loops, false)
}

/// The same with these settings, and where there are `agents` they answer each customer within the
/// hour.
fn play_with(settings: Settings, customers: &[u64], loops: &[(u64, u64)], agents: bool) -> Outcome {
    let mut chance = Chance(77);
    let mut world = World::new(settings);
    let begin = world.now;
    let mut events = BinaryHeap::new();
    let mut number = 0;
    let of_customers = customers.iter().map(|at| (*at, Who::Customer));
    let of_loops = loops
        .iter()
        .map(|(at, pace)| (*at, Who::Loop { pace: *pace }));
    for (at, who) in of_customers.chain(of_loops) {
        number += 1;
        events.push(Reverse((at, Event::Comes(who, number))));
    }
    let mut outcome = Outcome::default();
    while let Some(Reverse((at, event))) = events.pop() {
        world.now = begin + at * 1000;
        let address = |number: u64| match number % 3 {
            0 => format!("somebody{number}@mail.example"),
            _ => format!("somebody@d{number}.example"),
        };
        match event {
            Event::Comes(who, number) => {
                let from = address(number);
                let words = (0..12).map(|at| format!("w{}", letters(number * 12 + at)));
                let words = words.collect::<Vec<_>>().join(" ");
                let message = format!(
                    "From: {from}\r\nTo: {DESK}\r\nSubject: {}\r\nThread-Index: AQHa{number}\r\n\
                     Message-ID: <{number}@o.example>\r\nX-Mailer: Microsoft Outlook 16.0\r\n\
                     \r\n{words}\r\n",
                    letters(number)
                );
                let came = world.send(Flow::Inbound, &from, DESK, &message);
                assert!(came.passed(), "{number}: {came:?}");
                events.push(Reverse((at + 3, Event::Acknowledged(who, number))));
                if let Who::Loop { .. } = who {
                    outcome.letters += 1;
                    outcome.ended = at;
                }
            }
            Event::Answered(of) => {
                let to = address(of);
                let words = (0..12).map(|at| format!("a{}", letters(of * 12 + at)));
                let words = words.collect::<Vec<_>>().join(" ");
                let message = format!(
                    "From: {DESK}\r\nTo: {to}\r\nSubject: Re: {}\r\n\
                     Message-ID: <a{of}@desk.example>\r\nIn-Reply-To: <{of}@o.example>\r\n\
                     \r\n{words}\r\n",
                    letters(of)
                );
                let went = world.send(Flow::Submission, DESK, &to, &message);
                assert!(went.passed(), "{of}: {went:?}");
            }
            Event::Acknowledged(who, of) => {
                let to = address(of);
                let message = format!(
                    "From: {DESK}\r\nTo: {to}\r\nX-Gatepost-Trigger: automatic\r\n\
                     Subject: Received\r\nMessage-ID: <{of}@desk.example>\r\n\r\n\
                     We have received your mail {of}.\r\n"
                );
                let passed = world.send(Flow::Submission, DESK, &to, &message).passed();
                match who {
                    Who::Customer => {
                        if agents {
                            let after = MINUTE + chance.below(HOUR);
                            events.push(Reverse((at + after, Event::Answered(of))));
                        }
                        let day = (at / DAY) as usize;
                        let days = outcome.left_out.len().max(day + 1);
                        outcome.left_out.resize(days, (0, 0));
                        outcome.left_out[day].0 += 1;
                        outcome.left_out[day].1 += u64::from(!passed);
                    }
                    Who::Loop { pace } if passed && outcome.letters < END => {
                        outcome.letters += 1;
                        number += 1;
                        events.push(Reverse((at + pace, Event::Comes(who, number))));
                    }
                    Who::Loop { .. } => {}
                }
            }
        }
    }
    outcome
}

/// Letters in the place of figures, which do not count.
fn letters(number: u64) -> String {
    let figures = number.to_string();
    figures
        .bytes()
        .map(|of| char::from(of - b'0' + b'a'))
        .collect()
}

/// So many days of so many customers between eight and five.
fn working_days(chance: &mut Chance, days: u64, customers: u64) -> Vec<u64> {
    let each = (0..days).map(|day| chance.moments(day * DAY + 8 * HOUR, 9 * HOUR, customers));
    each.collect::<Vec<_>>().concat()
}

/// Days with how many customers wrote, and how many of them got no acknowledgement.
fn left_out(customers: &[u64]) -> Vec<(u64, u64)> {
    let left_out = play(customers, &[]).left_out;
    println!("{left_out:?}");
    left_out
}

/// How many got no acknowledgement on these days.
fn sum(days: &[(u64, u64)]) -> u64 {
    days.iter().map(|(_, left_out)| left_out).sum()
}

#[test]
fn none_is_left_out_once_so_many_are_usual() {
    for seed in 0..3 {
        for (customers, first, later) in [(5, 0, 0), (100, 10, 0), (500, 25, 0), (2000, 80, 0)] {
            let days = if customers > 500 { 2 } else { 5 };
            let days = left_out(&working_days(&mut Chance(seed), days, customers));
            assert!(sum(&days[..1]) <= first, "{customers}: {days:?}");
            assert!(sum(&days[1..]) <= later, "{customers}: {days:?}");
        }
        // What comes about as fast as the limit allows is found to be usual one of the first days.
        for customers in [10, 20, 40] {
            let days = left_out(&working_days(&mut Chance(seed), 12, customers));
            assert!(sum(&days) <= 14, "{customers}: {days:?}");
            assert!(sum(&days[6..]) <= 2, "{customers}: {days:?}");
        }
    }
}

/// What an agent writes keeps no silence: it is the machine's that counts.
#[test]
fn agents_of_whom_nothing_is_said_change_little() {
    for customers in [20, 100, 500] {
        let days = working_days(&mut Chance(customers), 5, customers);
        let days = play_with(Settings::default(), &days, &[], true).left_out;
        println!("{days:?}");
        assert!(sum(&days[..1]) <= 25 && sum(&days[1..]) <= 3, "{days:?}");
    }
    let days = working_days(&mut Chance(1), 5, 100);
    let outcome = play_with(
        Settings::default(),
        &days,
        &[(3 * DAY + 10 * HOUR, 10)],
        true,
    );
    assert!(outcome.letters <= 60, "{outcome:?}");
}

/// Three hundred within ten minutes, and a thousand in an afternoon, at a desk of whatever size.
#[test]
fn an_outage_and_a_campaign_are_acknowledged_but_for_some_minutes() {
    for (usual, begin) in [(0, 0), (20, 4 * DAY), (100, 4 * DAY)] {
        for (seconds, count, most) in [(10 * MINUTE, 300, 90), (5 * HOUR, 1000, 90)] {
            let mut chance = Chance(usual);
            let mut all = working_days(&mut chance, 4, usual);
            all.extend(chance.moments(begin + 12 * HOUR, seconds, count));
            let days = left_out(&all);
            let (wrote, left_out) = days[days.len() - 1];
            assert_eq!(wrote, count);
            assert!(left_out <= most, "{days:?}");
        }
    }
}

/// Once a week it stands still for an hour.
#[test]
fn a_desk_that_never_closes() {
    let days = left_out(&Chance(1).moments(0, 14 * DAY, 14 * 300));
    for week in days.chunks(7) {
        assert!(sum(week) <= 60, "{days:?}");
    }
    // Of few it cannot be told from one hour that they are usual.
    let days = left_out(&Chance(1).moments(0, 14 * DAY, 14 * 40));
    assert!(sum(&days) * 8 <= 14 * 40, "{days:?}");
}

/// What a loop takes that begins on the fourth day at ten: letters, and minutes.
fn loop_among(customers: u64, pace: u64) -> (u64, u64) {
    const BEGIN: u64 = 3 * DAY + 10 * HOUR;
    let all = working_days(&mut Chance(customers), 6, customers);
    let outcome = play(&all, &[(BEGIN, pace)]);
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
fn a_loop_that_nothing_tells_ends_in_a_few_letters() {
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
fn without_the_limit_it_does_not() {
    let mut settings = Settings::default();
    settings.limits.newcomers = 0;
    let outcome = play_with(settings, &[], &[(0, 10)], false);
    assert!(outcome.letters >= END, "{outcome:?}");
}

#[test]
fn among_many_customers_it_takes_some_tens() {
    for (customers, most) in [(20, 60), (100, 60), (500, 250)] {
        for pace in [2, 10, 30] {
            let (letters, _) = loop_among(customers, pace);
            assert!(letters <= most, "{letters}, {customers} {pace}");
        }
    }
}

/// Between the days, and in the same week once more: the account is not taken for one that never
/// closes.
#[test]
fn a_slow_loop_ends_within_a_day_and_another_within_two() {
    for customers in [0, 20, 500] {
        for pace in [4 * MINUTE, 15 * MINUTE, 30 * MINUTE, 59 * MINUTE] {
            let (_, minutes) = loop_among(customers, pace);
            assert!(minutes <= 24 * 60, "{customers} {pace}: {minutes}");
        }
    }
    const SECOND: u64 = 3 * DAY;
    let days = working_days(&mut Chance(9), 8, 12);
    let outcome = play(&days, &[(10 * HOUR, 30 * MINUTE), (SECOND, 30 * MINUTE)]);
    assert!(
        outcome.ended > SECOND && outcome.ended <= SECOND + 2 * DAY,
        "{outcome:?}"
    );
}

/// Look-ups of a newcomer's letter and of the answer to it, at their dearest.
#[test]
fn a_newcomer_costs_a_few_look_ups() {
    for (customers, most) in [(0, [6, 10]), (500, [13, 10])] {
        let mut world = World::new(Settings::default());
        let begin = world.now;
        let mut days = working_days(&mut Chance(3), 3, customers);
        days.sort_unstable();
        let mut dearest = [0, 0];
        for (number, at) in days.into_iter().chain([2 * DAY + 17 * HOUR]).enumerate() {
            world.now = begin + at * 1000;
            let from = format!("{}@d{number}.example", "x".repeat(200));
            let message = |fields: &str| {
                format!("{fields}Message-ID: <{number}@o.example>\r\n\r\nNumber {number}\r\n")
            };
            let first = message(&format!("From: {from}\r\nTo: {DESK}\r\n"));
            let answer = message(&format!(
                "From: {DESK}\r\nTo: {from}\r\nX-Gatepost-Trigger: automatic\r\n"
            ));
            for (way, of) in [(Flow::Inbound, 0), (Flow::Submission, 1)] {
                world.look_ups.set(0);
                match way {
                    Flow::Inbound => world.send(way, &from, DESK, &first),
                    Flow::Submission => world.send(way, DESK, &from, &answer),
                };
                dearest[of] = world.look_ups.get().max(dearest[of]);
            }
        }
        println!("{customers}: {dearest:?}");
        assert!(
            dearest[0] <= most[0] && dearest[1] <= most[1],
            "{dearest:?}"
        );
    }
}
