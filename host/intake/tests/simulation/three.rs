//! Three desks on one ticket, each of which writes to all others.

use std::rc::Rc;

use crate::desk::{Desk, Habits, OBLIVIOUS, WELL_BEHAVED};
use crate::site::Site;
use crate::world::World;
use crate::{HOUR, MINUTE, MOST};

const DOMAINS: [&str; 3] = ["a.example", "b.example", "c.example"];

/// Plays three desks, of which the first `ours` stand behind a relay of ours.
async fn three(ours: usize, habits: [Habits; 3], strips: bool, most: usize) {
    println!("{ours} of ours, {habits:#?}, strips: {strips}");
    let mut desks = Vec::new();
    for (at, domain) in DOMAINS.into_iter().enumerate() {
        let site = match at < ours {
            true => Some(Rc::new(Site::new(&[domain], &[]).await)),
            false => None,
        };
        let habits = Habits {
            writes_to_all: true,
            ..habits[at]
        };
        desks.push(Desk::new(domain, site, habits));
    }
    let mut world = World::new(desks);
    world.strips = strips;
    world.agent_writes(
        MINUTE,
        "a.example",
        &["support@b.example", "support@c.example"],
    );
    world.agent_writes(
        24 * HOUR,
        "b.example",
        &["support@a.example", "support@c.example"],
    );
    world.agent_writes(
        25 * HOUR,
        "c.example",
        &["support@a.example", "support@b.example"],
    );
    world.agent_writes(
        26 * HOUR,
        "a.example",
        &["support@b.example", "support@c.example"],
    );
    world.falls_silent_within(most).await;
    for (desk, letters) in [("a.example", 2), ("b.example", 3), ("c.example", 3)] {
        assert_eq!(
            world.agent_letters_at(desk),
            letters,
            "{desk}\n{}",
            world.log()
        );
    }
}

#[tokio::test]
async fn three_relays_fall_silent() {
    three(3, [WELL_BEHAVED; 3], false, MOST).await;
    three(3, [OBLIVIOUS; 3], false, MOST).await;
}

#[tokio::test]
async fn three_relays_with_gateways_that_strip_headers_fall_silent() {
    three(3, [WELL_BEHAVED; 3], true, MOST).await;
    three(3, [OBLIVIOUS; 3], true, MOST).await;
}

#[tokio::test]
async fn two_relays_and_a_system_elsewhere_fall_silent() {
    let habits = [WELL_BEHAVED, WELL_BEHAVED, OBLIVIOUS];
    three(2, habits, false, MOST).await;
}

/// A system elsewhere that writes to all of a ticket sends two letters for each that it gets.
/// Letters that are under way when a limit is reached are accepted: nobody answers them, but the
/// sum exceeds ten.
#[tokio::test]
async fn two_relays_and_a_system_elsewhere_that_multiplies_fall_silent() {
    let habits = [WELL_BEHAVED, OBLIVIOUS, OBLIVIOUS];
    three(2, habits, true, 15).await;
}
