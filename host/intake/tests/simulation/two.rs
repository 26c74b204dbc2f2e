//! Two desks, one of ours and any other, with any intermediary between them.

use std::rc::Rc;

use crate::desk::{Desk, Habits, OBLIVIOUS, WELL_BEHAVED};
use crate::middle::{List, Mailbox};
use crate::site::Site;
use crate::world::World;
use crate::{HOUR, MINUTE};

/// Relay of the other desk.
#[derive(Debug, Clone, Copy)]
enum OtherDesk {
    /// Relay of ours at another site.
    Relay,
    /// Same relay.
    SameRelay,
    /// System elsewhere.
    Elsewhere,
}

/// Route of the letters.
#[derive(Debug, Clone, Copy)]
enum Route {
    Direct,
    Stripped,
    List,
    Forwarded,
}

async fn between(ours: Habits, other: OtherDesk, theirs: Habits, route: Route) {
    println!("{ours:?}\n{other:?} {theirs:?}\n{route:?}");
    let (a, b) = ("a.example", "b.example");
    let site = match other {
        OtherDesk::SameRelay => Rc::new(Site::new(&[a, b], &[]).await),
        OtherDesk::Relay | OtherDesk::Elsewhere => Rc::new(Site::new(&[a], &[]).await),
    };
    let other = match other {
        OtherDesk::Relay => Some(Rc::new(Site::new(&[b], &[]).await)),
        OtherDesk::SameRelay => Some(Rc::clone(&site)),
        OtherDesk::Elsewhere => None,
    };
    let mut world = World::new([Desk::new(a, Some(site), ours), Desk::new(b, other, theirs)]);
    let mut to_b = "support@b.example";
    match route {
        Route::Direct => {}
        Route::Stripped => world.strips = true,
        Route::List => {
            to_b = "all@list.example";
            world.lists.push(List {
                address: to_b.to_owned(),
                members: vec![
                    "support@a.example".to_owned(),
                    "support@b.example".to_owned(),
                ],
            });
        }
        Route::Forwarded => {
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
    assert_eq!(world.agent_letters_at(b), 6, "{}", world.log());
    assert_eq!(world.agent_letters_at(a), 6, "{}", world.log());
}

/// Plays every combination of the desks' habits.
async fn with_all_habits(other: OtherDesk, route: Route) {
    for ours in [WELL_BEHAVED, OBLIVIOUS] {
        for theirs in [WELL_BEHAVED, OBLIVIOUS] {
            between(ours, other, theirs, route).await;
        }
    }
}

macro_rules! scenarios {
    ($($name:ident: $other:ident, $route:ident;)*) => {$(
        #[tokio::test]
        async fn $name() {
            with_all_habits(OtherDesk::$other, Route::$route).await;
        }
    )*};
}

scenarios! {
    two_relays_fall_silent: Relay, Direct;
    two_relays_with_a_gateway_that_strips_headers_fall_silent: Relay, Stripped;
    two_relays_on_a_mailing_list_fall_silent: Relay, List;
    two_relays_with_a_person_who_forwards_fall_silent: Relay, Forwarded;
    two_accounts_of_one_relay_fall_silent: SameRelay, Direct;
    two_accounts_with_a_gateway_that_strips_headers_fall_silent: SameRelay, Stripped;
    two_accounts_on_a_mailing_list_fall_silent: SameRelay, List;
    two_accounts_with_a_person_who_forwards_fall_silent: SameRelay, Forwarded;
    a_system_elsewhere_falls_silent: Elsewhere, Direct;
    a_system_elsewhere_behind_a_gateway_that_strips_headers_falls_silent: Elsewhere, Stripped;
    a_system_elsewhere_on_a_mailing_list_falls_silent: Elsewhere, List;
    a_system_elsewhere_behind_a_person_who_forwards_falls_silent: Elsewhere, Forwarded;
}
