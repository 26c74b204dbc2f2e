//! Two desks, one of ours and any other, and whatever may stand between them.

use std::rc::Rc;

use crate::desk::{Desk, Habits, OBLIVIOUS, WELL_BEHAVED};
use crate::middle::{List, Mailbox};
use crate::site::Site;
use crate::world::World;
use crate::{HOUR, MINUTE};

/// What is at the other end.
#[derive(Debug, Clone, Copy)]
enum Other {
    /// A relay of ours, of another site.
    Relay,
    /// The same relay.
    SameRelay,
    /// A system elsewhere.
    Elsewhere,
}

/// How letters come there.
#[derive(Debug, Clone, Copy)]
enum Way {
    Straight,
    Stripped,
    List,
    Forwarded,
}

async fn between(ours: Habits, other: Other, theirs: Habits, way: Way) {
    println!("{ours:?}\n{other:?} {theirs:?}\n{way:?}");
    let (a, b) = ("a.example", "b.example");
    let site = match other {
        Other::SameRelay => Rc::new(Site::new(&[a, b], &[]).await),
        Other::Relay | Other::Elsewhere => Rc::new(Site::new(&[a], &[]).await),
    };
    let other = match other {
        Other::Relay => Some(Rc::new(Site::new(&[b], &[]).await)),
        Other::SameRelay => Some(Rc::clone(&site)),
        Other::Elsewhere => None,
    };
    let mut world = World::new([Desk::new(a, Some(site), ours), Desk::new(b, other, theirs)]);
    let mut to_b = "support@b.example";
    match way {
        Way::Straight => {}
        Way::Stripped => world.strips = true,
        Way::List => {
            to_b = "all@list.example";
            world.lists.push(List {
                address: to_b.to_owned(),
                members: vec![
                    "support@a.example".to_owned(),
                    "support@b.example".to_owned(),
                ],
            });
        }
        Way::Forwarded => {
            to_b = "pat@person.example";
            let to = "support@b.example".to_owned();
            world.mailboxes.insert(to_b.to_owned(), Mailbox { to });
        }
    }
    // A ticket that is left alone for a day, then one that people work on.
    world.agent_writes(MINUTE, a, &[to_b]);
    world.agent_writes(24 * HOUR, b, &["support@a.example"]);
    for hour in 25..30 {
        world.agent_writes(hour * HOUR, a, &[to_b]);
        world.agent_writes(hour * HOUR + 10 * MINUTE, b, &["support@a.example"]);
    }
    world.falls_silent().await;
    assert_eq!(world.of_agents_at(b), 6, "{}", world.story());
    assert_eq!(world.of_agents_at(a), 6, "{}", world.story());
}

/// Every combination of how the desks behave.
async fn in_all_moods(other: Other, way: Way) {
    for ours in [WELL_BEHAVED, OBLIVIOUS] {
        for theirs in [WELL_BEHAVED, OBLIVIOUS] {
            between(ours, other, theirs, way).await;
        }
    }
}

macro_rules! scenarios {
    ($($name:ident: $other:ident, $way:ident;)*) => {$(
        #[tokio::test]
        async fn $name() {
            in_all_moods(Other::$other, Way::$way).await;
        }
    )*};
}

scenarios! {
    two_relays: Relay, Straight;
    two_relays_with_a_gateway_that_strips_headers: Relay, Stripped;
    two_relays_on_a_mailing_list: Relay, List;
    two_relays_with_a_person_who_forwards: Relay, Forwarded;
    two_accounts_of_one_relay: SameRelay, Straight;
    two_accounts_with_a_gateway_that_strips_headers: SameRelay, Stripped;
    two_accounts_on_a_mailing_list: SameRelay, List;
    two_accounts_with_a_person_who_forwards: SameRelay, Forwarded;
    a_system_elsewhere: Elsewhere, Straight;
    a_system_elsewhere_behind_a_gateway_that_strips_headers: Elsewhere, Stripped;
    a_system_elsewhere_on_a_mailing_list: Elsewhere, List;
    a_system_elsewhere_behind_a_person_who_forwards: Elsewhere, Forwarded;
}
