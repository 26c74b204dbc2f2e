//! The places against a model that counts plainly: whoever comes and goes, a listener that has not
//! used up its own places has one, and nobody has more than there are.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::pressure::Pressure;
use super::super::shares::Shares;
use super::{Place, Places};
use crate::live::Door;

const LISTENERS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// Somebody connects to this listener.
    Connect(usize),
    /// One of those who are in leaves.
    Leave(prop::sample::Index),
    /// A reload divides the places in another way.
    Share([usize; LISTENERS], usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..LISTENERS).prop_map(Step::Connect),
        8 => any::<prop::sample::Index>().prop_map(Step::Leave),
        1 => shares().prop_map(|(own, common)| Step::Share(own, common)),
    ]
}

fn shares() -> impl Strategy<Value = ([usize; LISTENERS], usize)> {
    ([0..6_usize, 0..6, 0..6], 0..12_usize)
}

fn door(listener: usize) -> Door {
    Door::at(([127, 0, 0, 1], listener as u16 + 1).into())
}

fn divided(own: &[usize; LISTENERS], common: usize) -> Shares {
    let own = own.iter().enumerate();
    Shares::new(own.map(|(listener, own)| (door(listener), *own)), common)
}

proptest! {
    #[test]
    fn nobody_takes_what_is_another_listeners(
        first in shares(),
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let (mut own, mut common) = first;
        let places = Arc::<Places>::default();
        places.share(divided(&own, common));
        let mut inside: Vec<(usize, Place)> = Vec::new();
        for step in steps {
            let on = |inside: &[(usize, Place)], listener: usize| {
                inside.iter().filter(|(at, _)| *at == listener).count()
            };
            match step {
                Step::Connect(listener) => {
                    let beyond: usize = (0..LISTENERS)
                        .map(|l| on(&inside, l).saturating_sub(own[l]))
                        .sum();
                    let due = on(&inside, listener) < own[listener] || beyond < common;
                    let place = places.take(&door(listener));
                    prop_assert_eq!(place.is_some(), due);
                    inside.extend(place.map(|place| (listener, place)));
                }
                Step::Leave(who) => {
                    if !inside.is_empty() {
                        inside.swap_remove(who.index(inside.len()));
                    }
                }
                Step::Share(to, all) => {
                    (own, common) = (to, all);
                    places.share(divided(&own, common));
                }
            }
            // Every session hears what is so of its listener at this moment.
            let beyond: usize = (0..LISTENERS)
                .map(|l| on(&inside, l).saturating_sub(own[l]))
                .sum();
            for (listener, place) in &inside {
                let mine = own[*listener].saturating_sub(on(&inside, *listener));
                let free = mine + common.saturating_sub(beyond);
                let due = Pressure::of(free, own[*listener] + common);
                prop_assert_eq!(*place.patience.0.borrow(), due);
            }
        }
        inside.clear();
        let taken = places.taken();
        prop_assert_eq!(taken.in_total, 0);
        prop_assert!(taken.by_listener.is_empty());
    }
}
