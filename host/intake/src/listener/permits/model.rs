//! The permits against a model that counts plainly: in any order of connections, a listener that
//! has not used up its own permits gets one, and no more permits are out than there are.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::pressure::Pressure;
use super::super::shares::Shares;
use super::{ConnectionPermit, ConnectionPermits};
use crate::active_config::ListenerKey;

const LISTENERS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// A client connects to this listener.
    Connect(usize),
    /// One of the connected clients leaves.
    Leave(prop::sample::Index),
    /// A reload divides the permits anew.
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

fn key(listener: usize) -> ListenerKey {
    ListenerKey::at(([127, 0, 0, 1], listener as u16 + 1).into())
}

fn divided(own: &[usize; LISTENERS], common: usize) -> Shares {
    let own = own.iter().enumerate();
    Shares::new(own.map(|(listener, own)| (key(listener), *own)), common)
}

proptest! {
    #[test]
    fn no_listener_takes_the_permits_of_another(
        first in shares(),
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let (mut own, mut common) = first;
        let permits = Arc::<ConnectionPermits>::default();
        permits.share(divided(&own, common));
        let mut inside: Vec<(usize, ConnectionPermit)> = Vec::new();
        for step in steps {
            let on = |inside: &[(usize, ConnectionPermit)], listener: usize| {
                inside.iter().filter(|(at, _)| *at == listener).count()
            };
            match step {
                Step::Connect(listener) => {
                    let beyond: usize = (0..LISTENERS)
                        .map(|l| on(&inside, l).saturating_sub(own[l]))
                        .sum();
                    let due = on(&inside, listener) < own[listener] || beyond < common;
                    let permit = permits.acquire(&key(listener));
                    prop_assert_eq!(permit.is_some(), due);
                    inside.extend(permit.map(|permit| (listener, permit)));
                }
                Step::Leave(who) => {
                    if !inside.is_empty() {
                        inside.swap_remove(who.index(inside.len()));
                    }
                }
                Step::Share(to, all) => {
                    (own, common) = (to, all);
                    permits.share(divided(&own, common));
                }
            }
            // Every session sees the pressure of its listener at this moment.
            let beyond: usize = (0..LISTENERS)
                .map(|l| on(&inside, l).saturating_sub(own[l]))
                .sum();
            for (listener, permit) in &inside {
                let mine = own[*listener].saturating_sub(on(&inside, *listener));
                let free = mine + common.saturating_sub(beyond);
                let due = Pressure::of(free, own[*listener] + common);
                prop_assert_eq!(*permit.idle_timer.0.borrow(), due);
            }
        }
        inside.clear();
        let taken = permits.taken();
        prop_assert_eq!(taken.in_total, 0);
        prop_assert!(taken.by_listener.is_empty());
    }
}
