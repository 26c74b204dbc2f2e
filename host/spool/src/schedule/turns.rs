//! Members that take turns once their time has come.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use gatepost_message::Millis;

/// Members with the time from which each is ready. Those that are ready take turns, whatever the
/// time for which they have been; a member that had its turn goes to the end of the line.
#[derive(Debug)]
pub(super) struct Turns<K> {
    members: HashMap<K, Member>,
    by_time: BTreeSet<(Millis, K)>,
    /// Members that have not been seen ready.
    asleep: BTreeSet<(Millis, K)>,
    /// Members that have been seen ready, in the order of their turns.
    awake: BTreeSet<(u64, K)>,
    last_turn: u64,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    ready_at: Millis,
    /// Place in the line, if it is awake.
    turn: Option<u64>,
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self {
            members: HashMap::new(),
            by_time: BTreeSet::new(),
            asleep: BTreeSet::new(),
            awake: BTreeSet::new(),
            last_turn: 0,
        }
    }
}

impl<K: Copy + Ord + Hash> Turns<K> {
    /// Sets the time from which a member is ready; one that is never ready is no member. A member
    /// that is awake keeps its place in the line.
    pub(super) fn set(&mut self, key: K, ready_at: Option<Millis>) {
        let old = self.members.get(&key).copied();
        if old.map(|old| old.ready_at) == ready_at {
            return;
        }
        let turn = old.and_then(|old| old.turn);
        if let Some(old) = old {
            self.by_time.remove(&(old.ready_at, key));
            match old.turn {
                Some(turn) if ready_at.is_none() => drop(self.awake.remove(&(turn, key))),
                Some(_) => {}
                None => drop(self.asleep.remove(&(old.ready_at, key))),
            }
        }
        let Some(ready_at) = ready_at else {
            self.members.remove(&key);
            return;
        };
        self.by_time.insert((ready_at, key));
        if turn.is_none() {
            self.asleep.insert((ready_at, key));
        }
        self.members.insert(key, Member { ready_at, turn });
    }

    /// Returns the earliest time from which a member is ready.
    pub(super) fn first(&self) -> Option<Millis> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Returns the members that are ready at `now`, the longest ready first.
    pub(super) fn ready(&self, now: Millis) -> impl Iterator<Item = K> {
        let ready = self.by_time.iter().take_while(move |(at, _)| *at <= now);
        ready.map(|(_, key)| *key)
    }

    /// Gives the next member that is ready at `now` its turn.
    pub(super) fn next(&mut self, now: Millis) -> Option<K> {
        while let Some(&(at, key)) = self.asleep.first()
            && at <= now
        {
            self.asleep.remove(&(at, key));
            self.queue(key);
        }
        while let Some((_, key)) = self.awake.pop_first() {
            match self.members.get_mut(&key) {
                Some(member) if member.ready_at > now => {
                    member.turn = None;
                    self.asleep.insert((member.ready_at, key));
                }
                _ => {
                    self.queue(key);
                    return Some(key);
                }
            }
        }
        None
    }

    /// Puts a member at the end of the line.
    fn queue(&mut self, key: K) {
        self.last_turn += 1;
        self.awake.insert((self.last_turn, key));
        if let Some(member) = self.members.get_mut(&key) {
            member.turn = Some(self.last_turn);
        }
    }
}
