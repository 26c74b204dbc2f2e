//! What was accepted a moment ago: durable already, and not yet in the database.
//!
//! Most mail leaves within moments of being accepted. To put its rows into tables and indices, and
//! to take them out again, costs many times what it costs to write the message to the end of a
//! file. So what is accepted is written to a [`Ring`] first, which is synced for all that wait, and
//! the clients get their 250. What is due then goes to delivery from memory ([`Fresh`]). Of a large
//! message the ring has all but the body, which is durable in a file of its own before.
//!
//! - A message whose recipients have all been delivered to is *gone*: that is written behind it,
//!   and the database never hears of it.
//! - What is not gone after some octets more, or when nothing else is to be done for a moment, is
//!   *carried over* into the database, as it would have come there before. So is what an operator,
//!   a deferral or a look at the queue needs to find there, before it looks.
//! - What policies asked to remember is carried over by the hundred.
//!
//! The database says how far that has come: up to where messages, and up to where effects, need
//! no longer be read from the ring. That is written in the commit that carries over, so that
//! nothing is in both or in neither. A relay that opens the store carries over what the last one
//! left in the ring, and tells what of it is damaged ([`scan`]).
//!
//! What was carried over is in the database's log at first. Nothing in the ring is written over
//! before that log has been written to the database itself and synced: whoever loses the log, or a
//! part of it, falls back to what the database says, and finds in the ring all that was accepted
//! since. That commits have been lost is told by their number, which stands in each and in the file
//! beside the journal.
//!
//! [`Fresh`]: crate::fresh::Fresh

mod earlier;
mod format;
mod record;
mod ring;
mod scan;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
    sync::Arc,
};

use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Effect, Scope};

use crate::{InitialState, Lease, NewMessage, NewRecipient};

use self::ring::Ring;

pub use self::scan::Fault;
pub(crate) use self::{
    format::{Commits, Generation},
    record::Record,
    ring::{Paths, Salt},
};

/// With so many effects they are carried over, so that nobody waits long for it.
const EFFECTS: usize = 256;

/// No more effects than this are carried over at once, but for the rest of a message's.
const EFFECTS_AT_ONCE: usize = 4096;

/// A message that takes more of the ring than this part goes to the database directly.
const LARGEST_PART: u64 = 16;

/// A message in the ring.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) message: Arc<NewMessage>,
    /// Of what is due of it, where delivery has it.
    pub(crate) lease: Option<Lease>,
    /// When something of it is due that nobody holds a lease of.
    due: Option<Millis>,
}

impl Letter {
    /// A message that is leased, or not.
    pub(crate) fn new(message: Arc<NewMessage>, lease: Option<Lease>) -> Self {
        let due = |to: &NewRecipient| match to.state {
            _ if message.quarantine.is_some() => None,
            InitialState::Queued { next_attempt } if next_attempt <= message.received_at => {
                Some(lease.map_or(next_attempt, |lease| lease.until))
            }
            InitialState::Queued { next_attempt } => Some(next_attempt),
            _ => None,
        };
        let due = message.recipients.iter().filter_map(due).min();
        Self {
            message,
            lease,
            due,
        }
    }

    /// When something of it is due that nobody holds a lease of; `None` if it waits for nothing but
    /// an operator.
    pub(crate) fn due(&self) -> Option<Millis> {
        self.due
    }
}

/// An effect, for whom, and the time of the transaction that had it.
pub(crate) type Remembered = (Scope, Effect, Millis);

/// The ring, and what of it counts.
#[derive(Debug)]
pub(crate) struct Journal {
    ring: Ring,
    /// Neither gone nor carried over, by position.
    letters: BTreeMap<u64, Letter>,
    positions: HashMap<TransactionId, u64>,
    /// Not carried over, each with the position of its message.
    effects: Vec<(u64, Remembered)>,
    /// Everything before is gone or in the database, its log included.
    carried: u64,
    /// Of the database, in this life of the file.
    commits: Commits,
}

/// What is carried over in one commit, and how far the ring counts from then on.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Positions of letters, in ascending order.
    pub(crate) letters: Vec<u64>,
    /// How many of the effects, from the first.
    pub(crate) effects: usize,
}

/// How far the database has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// Every letter before is gone or in the database.
    pub(crate) letters: u64,
    /// Every effect before is in the database.
    pub(crate) effects: u64,
}

impl Progress {
    /// What the ring still has to hold begins here.
    pub(crate) fn first(self) -> u64 {
        self.letters.min(self.effects)
    }
}

impl Load {
    /// Both in one.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.letters.extend(other.letters);
        self.letters.sort_unstable();
        self.letters.dedup();
        Self {
            letters: self.letters,
            effects: self.effects.max(other.effects),
        }
    }
}

impl Journal {
    /// A new life of the file, with nothing in it.
    ///
    /// # Errors
    /// If its room cannot be set aside.
    pub(crate) fn create(paths: &Paths, length: u64, salt: Salt) -> io::Result<Self> {
        Ok(Self {
            ring: Ring::create(paths, length, salt)?,
            letters: BTreeMap::new(),
            positions: HashMap::new(),
            effects: Vec::new(),
            carried: 0,
            commits: Commits::default(),
        })
    }

    /// Whether it holds the message.
    pub(crate) fn holds(&self, id: TransactionId) -> bool {
        self.positions.contains_key(&id)
    }

    /// The message, if it is here.
    pub(crate) fn letter(&self, id: TransactionId) -> Option<&Letter> {
        self.letters.get(self.positions.get(&id)?)
    }

    /// Whether a message of so many octets has a place. It may need a few more for its envelope
    /// and its judgements: [`Journal::accept`] has the last word.
    pub(crate) fn is_for(&self, octets: u64) -> bool {
        octets <= self.ring.length() / LARGEST_PART
    }

    /// Adds a message; `false` if there is no room for it.
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub(crate) fn accept(&mut self, letter: Letter) -> io::Result<bool> {
        let message = &letter.message;
        let (envelope, octets) = record::envelope(message)?;
        let write = |next: &mut Vec<u8>| record::accepted(next, &envelope, message);
        let Some(position) = self.ring.append(octets, write)? else {
            return Ok(false);
        };
        let effects = message.effects.iter().cloned();
        let time = message.transaction.time;
        (self.effects).extend(effects.map(|(scope, effect)| (position, (scope, effect, time))));
        self.positions.insert(message.transaction.id, position);
        self.letters.insert(position, letter);
        Ok(true)
    }

    /// Nothing is left to do for a message: says so in the ring. `false` if that has no room.
    pub(crate) fn gone(&mut self, id: TransactionId) -> io::Result<bool> {
        let Some(&position) = self.positions.get(&id) else {
            return Ok(false);
        };
        let write = |next: &mut Vec<u8>| record::gone(next, position);
        let written = self.ring.append(record::GONE, write)?.is_some();
        if written {
            self.forget(position);
        }
        Ok(written)
    }

    /// Writes what was added since. It survives the process then.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        self.ring.write()
    }

    /// What its file is known by.
    pub(crate) fn generation(&self) -> Generation {
        self.ring.generation()
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.ring.sync()
    }

    /// What has been here for long enough, where it is time to carry it over.
    pub(crate) fn overdue(&self) -> Option<Load> {
        let end = self.ring.end();
        let quarter = self.ring.length() / 4;
        let half_full = self.is_half_full() && end - self.carried > quarter;
        if !half_full && self.effects.len() < EFFECTS {
            return None;
        }
        let old = end.saturating_sub(quarter);
        let letters = self.letters.range(..old).map(|(at, _)| *at);
        Some(Load {
            letters: if half_full {
                letters.collect()
            } else {
                Vec::new()
            },
            effects: self.some_effects(),
        })
    }

    fn is_half_full(&self) -> bool {
        self.ring.end() - self.ring.tail() > self.ring.length() / 2
    }

    /// Whether it is time to write the database's log to the database itself: only then is there
    /// room for more.
    pub(crate) fn wants_checkpoint(&self) -> bool {
        self.is_half_full() && self.carried > self.ring.tail()
    }

    /// The log of the database is about to be written to the database itself. From here until that
    /// is done the database is as good as its log.
    pub(crate) fn checkpoint_begins(&mut self) {
        self.commits.begun = self.commits.made;
        self.ring.note_commits(self.commits);
    }

    /// All that was carried over so far is in the database itself, durably.
    pub(crate) fn checkpointed(&mut self) {
        self.ring.free_before(self.carried);
        self.commits.written = self.commits.made;
        self.ring.note_commits(self.commits);
    }

    /// The number of the next commit of the database.
    pub(crate) fn next_commit(&self) -> u64 {
        self.commits.made + 1
    }

    /// How many of the effects may be carried over at once: all of a message or none, since it is
    /// written down which message's come next.
    fn some_effects(&self) -> usize {
        let Some((last, rest)) = (self.effects.split_at_checked(EFFECTS_AT_ONCE))
            .and_then(|(first, rest)| Some((first.last()?.0, rest)))
        else {
            return self.effects.len();
        };
        let same = rest.iter().take_while(|(at, _)| *at == last).count();
        EFFECTS_AT_ONCE + same
    }

    /// Whether nothing is left to be remembered once this load is carried over.
    pub(crate) fn has_no_effects_after(&self, load: &Load) -> bool {
        load.effects >= self.effects.len()
    }

    /// All that is here.
    pub(crate) fn everything(&self) -> Load {
        Load {
            letters: self.letters.keys().copied().collect(),
            effects: self.effects.len(),
        }
    }

    /// One message.
    pub(crate) fn only(&self, id: TransactionId) -> Load {
        Load {
            letters: self.positions.get(&id).copied().into_iter().collect(),
            effects: 0,
        }
    }

    /// The messages of which something is due.
    pub(crate) fn due(&self, now: Millis) -> Load {
        let letters = self.letters.iter();
        let over = letters.filter(|(_, letter)| letter.due.is_some_and(|due| due <= now));
        Load {
            letters: over.map(|(at, _)| *at).collect(),
            effects: 0,
        }
    }

    /// When the first message is due.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        self.letters.values().filter_map(Letter::due).min()
    }

    /// Whether the database has yet to hear of anything.
    pub(crate) fn is_behind(&self) -> bool {
        self.ring.end() > self.carried
    }

    /// The letter at a position.
    pub(crate) fn at(&self, position: u64) -> Option<&Letter> {
        self.letters.get(&position)
    }

    /// The effects of a load.
    pub(crate) fn effects(&self, load: &Load) -> impl Iterator<Item = &Remembered> {
        self.effects[..load.effects]
            .iter()
            .map(|(_, effect)| effect)
    }

    /// How far the database will have got with a load.
    pub(crate) fn progress(&self, load: &Load) -> Progress {
        let end = self.ring.end();
        let mut letters = self.letters.keys();
        let staying = letters.find(|at| load.letters.binary_search(at).is_err());
        Progress {
            letters: staying.copied().unwrap_or(end),
            effects: self.effects.get(load.effects).map_or(end, |(at, _)| *at),
        }
    }

    /// A load has been carried over, and the database says so in its log, durably.
    pub(crate) fn carried(&mut self, load: &Load) {
        let progress = self.progress(load);
        for position in &load.letters {
            self.forget(*position);
        }
        self.effects.drain(..load.effects);
        self.carried = progress.first();
        self.commits.made += 1;
        self.ring.note_commits(self.commits);
    }

    fn forget(&mut self, position: u64) {
        if let Some(letter) = self.letters.remove(&position) {
            self.positions.remove(&letter.message.transaction.id);
        }
    }
}

/// What the database knows of the last life of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// None that counts: it had not begun.
    None,
    /// The first form, of this salt.
    First(Salt),
    /// The present one.
    Present(Generation),
}

/// What the last life of the file has left.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// By position, in the order in which they were written.
    pub(crate) records: Vec<(u64, Record)>,
    /// What is damaged of it.
    pub(crate) faults: Vec<Fault>,
}

/// Reads what the last life of the file holds from `tail` on, damaged or not.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn read(paths: &Paths, form: Form, tail: u64) -> io::Result<Recovered> {
    let scan = match form {
        Form::None => return Ok(Recovered::default()),
        Form::First(salt) => earlier::scan(&paths.journal, salt, tail)?,
        Form::Present(generation) => scan::scan(paths, generation, tail)?,
    };
    let mut recovered = Recovered {
        records: Vec::with_capacity(scan.records.len()),
        faults: scan.faults,
    };
    for (position, payload) in scan.records {
        match Record::read(payload.into()) {
            Ok(record) => recovered.records.push((position, record)),
            Err(error) => recovered.faults.push(Fault::Unreadable {
                position,
                why: error.to_string(),
            }),
        }
    }
    Ok(recovered)
}

/// Whether anything was ever written to a journal, of whatever form and generation; what is no file
/// is none of ours.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn is_used(path: &Path) -> io::Result<bool> {
    let Ok(file) = scan::read(path, ring::LONGEST)? else {
        return Ok(false);
    };
    let ring = file.get(format::PAGE as usize..).unwrap_or_default();
    Ok(ring.iter().any(|octet| *octet != 0))
}

/// Whether the file beside a journal tells of mail, of whatever generation.
pub(crate) fn mark_tells_of_mail(path: &Path) -> bool {
    scan::read_mark(path).is_some_and(|octets| format::tells_of_mail(&octets))
}

/// What stands beside a journal, if anything does.
pub(crate) fn read_mark(paths: &Paths) -> Option<Vec<u8>> {
    scan::read_mark(&paths.mark)
}

/// Whether what stands beside a journal of this generation says all that it should: how far the
/// journal is synced, and how far the database has come. It is there, durably, before the journal
/// counts.
pub(crate) fn mark_tells(mark: &[u8], generation: Generation) -> bool {
    format::read_mark(mark, generation.salt).is_some() && commits(mark, generation).is_some()
}

/// How far the database has come, as what stands beside a journal tells; `None` where it tells
/// nothing of this generation.
pub(crate) fn commits(mark: &[u8], generation: Generation) -> Option<Commits> {
    format::read_commits(mark, generation.salt)
}
