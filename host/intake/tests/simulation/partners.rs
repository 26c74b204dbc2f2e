//! A desk that shares its tickets with another: neither machines nor agents write there by mail,
//! and mail from there is refused. Mail to everybody else goes as before.

use std::rc::Rc;

use crate::desk::{Desk, Habits, OBLIVIOUS, WELL_BEHAVED};
use crate::site::Site;
use crate::world::World;
use crate::{HOUR, MINUTE};

/// Application that copies comments between tickets: its mail passes for an agent's, so that
/// nothing but partner-guard stops it.
const COPIES: Habits = Habits {
    poses_as_agent: true,
    ..OBLIVIOUS
};

/// Creates a world in which `a.example` shares tickets with `b.example`, which does not know of it,
/// and writes to `c.example` too.
async fn world(habits: Habits, ours: bool, without: &[&str]) -> World {
    let partner = "support@b.example";
    let a = Rc::new(Site::sharing("a.example", partner, without).await);
    // A loop between two systems elsewhere is not ours to end, so those are well-behaved.
    let (b, habits_of_b) = match ours {
        true => (
            Some(Rc::new(Site::new(&["b.example"], without).await)),
            habits,
        ),
        false => (None, WELL_BEHAVED),
    };
    let mut world = World::new([
        Desk::new("a.example", Some(a), habits),
        Desk::new("b.example", b, habits_of_b),
        Desk::new("c.example", None, WELL_BEHAVED),
    ]);
    world.agent_writes(MINUTE, "a.example", &[partner, "support@c.example"]);
    world.agent_writes(
        HOUR,
        "b.example",
        &["support@a.example", "support@c.example"],
    );
    world.agent_writes(2 * HOUR, "c.example", &["support@a.example", partner]);
    world
}

#[tokio::test]
async fn partners_do_not_write_to_each_other_by_mail() {
    for habits in [WELL_BEHAVED, OBLIVIOUS, COPIES] {
        for ours in [true, false] {
            println!("{habits:?}, ours: {ours}");
            let mut world = world(habits, ours, &[]).await;
            world.falls_silent().await;
            let between = |letter: &&crate::world::FinalDelivery| {
                let ends = [letter.from.as_str(), letter.to.as_str()];
                letter.refused.is_none() && !ends.contains(&"c.example")
            };
            let letters = world.deliveries.iter().filter(between).count();
            assert_eq!(letters, 0, "{}", world.log());
            assert_eq!(world.agent_letters_at("c.example"), 2, "{}", world.log());
            assert_eq!(world.agent_letters_at("a.example"), 1, "{}", world.log());
            assert_eq!(world.agent_letters_at("b.example"), 1, "{}", world.log());
        }
    }
}

#[tokio::test]
async fn without_partner_guard_copies_go_round_for_ever() {
    let mut without = world(COPIES, true, &["partner-guard"]).await;
    without.goes_on_for_ever().await;
}
