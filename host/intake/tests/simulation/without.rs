//! The use of each policy: with it an exchange ends, without it the same goes on for ever, whatever
//! the other policies do.

use std::rc::Rc;

use crate::desk::{Desk, Habits, OBLIVIOUS, WELL_BEHAVED};
use crate::site::Site;
use crate::world::World;
use crate::{HOUR, MINUTE};

/// Creates two desks, each behind a relay of ours without these policies, and an agent's letter.
async fn world(habits: Habits, without: &[&str], strips: bool) -> World {
    let mut desks = Vec::new();
    for domain in ["a.example", "b.example"] {
        let site = Rc::new(Site::new(&[domain], without).await);
        desks.push(Desk::new(domain, Some(site), habits));
    }
    let mut world = World::new(desks);
    world.strips = strips;
    world.agent_writes(MINUTE, "a.example", &["support@b.example"]);
    world
}

/// Loop-guard sets the tag; applications that heed it recognise machines by nothing else.
#[tokio::test]
async fn loop_guard_tells_applications_what_not_to_answer() {
    world(WELL_BEHAVED, &[], false).await.falls_silent().await;
    let mut without = world(WELL_BEHAVED, &["loop-guard"], false).await;
    without.goes_on_for_ever().await;
}

/// The counts are the only means if no header tells and the applications heed nothing.
#[tokio::test]
async fn loop_guard_ends_loops_without_a_sign() {
    world(OBLIVIOUS, &[], true).await.falls_silent().await;
    let mut without = world(OBLIVIOUS, &["loop-guard"], true).await;
    without.goes_on_for_ever().await;
}

/// Loops end at any pace.
#[tokio::test]
async fn loop_guard_ends_slow_loops() {
    for minutes in [1, 2, 5, 15, 30] {
        let mut slow = world(OBLIVIOUS, &[], true).await;
        slow.pace = minutes * MINUTE;
        slow.falls_silent().await;
    }
    for hours in [1, 2, 4] {
        let mut slow = world(OBLIVIOUS, &[], true).await;
        slow.pace = hours * HOUR;
        slow.falls_silent().await;
        let mut without = world(OBLIVIOUS, &["loop-guard"], true).await;
        without.pace = hours * HOUR;
        without.goes_on_for_ever().await;
    }
}

/// Headers tell at once where each ticket has an address, a subject and words of its own, so that
/// there is little to count by.
#[tokio::test]
async fn header_guard_says_that_a_machine_wrote() {
    let habits = Habits {
        new_ticket_each_time: true,
        ..WELL_BEHAVED
    };
    let mut with = world(habits, &[], false).await;
    with.falls_silent_within(1).await;
    let mut without = world(habits, &["header-guard"], false).await;
    without.falls_silent().await;
    let letters = without.longest_exchange();
    assert!(letters > 4, "{letters}:\n{}", without.log());
}
