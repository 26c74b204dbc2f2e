//! Random histories of a ring, ended by the end of the process or a loss of power, and damaged:
//! whole records are read, lost records that were synced are reported, and records that were merely
//! cut are not.

use std::{fs, ops::Range};

use proptest::{collection::vec, prelude::*, sample::Index, test_runner::RngSeed};

use super::{
    format::{Generation, HEADER, PAGE},
    ring::{Paths, Ring},
    scan::{Scan, scan},
};

/// Octets of the file: a first page, and a ring that a few batches fill.
const LENGTH: u64 = 13 * PAGE;

const GENERATION_ID: u64 = 0x8123_4567_89ab_cdef;

/// Unit in which a loss of power writes or does not.
const SECTOR: usize = 512;

/// Seed of every run; proptest prints it when a case fails.
const SEED: u64 = 20_261_128;

#[derive(Debug, Clone)]
enum Step {
    /// Records of these sizes in one write, synced or not; the write of a tombstone is not synced.
    Batch { sizes: Vec<usize>, sync: bool },
    /// Frees the ring before this record, or before the end.
    Free(Index),
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![3 => 1..200_usize, 2 => 200..3000_usize, 1 => 3000..9000_usize];
    prop_oneof![
        5 => (vec(size, 1..5), prop::bool::weighted(0.7))
            .prop_map(|(sizes, sync)| Step::Batch { sizes, sync }),
        2 => any::<Index>().prop_map(Step::Free),
    ]
}

#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Zero(Index, usize),
    Garble(Index, usize),
    Truncate(Index),
    Swap(Index, Index, bool),
    Delete,
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    let length = || prop_oneof![1..64_usize, 64..2000_usize, 2000..60_000_usize];
    prop_oneof![
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        4 => (at(), length()).prop_map(|(at, length)| Damage::Zero(at, length)),
        3 => (at(), length()).prop_map(|(at, length)| Damage::Garble(at, length)),
        2 => at().prop_map(Damage::Truncate),
        3 => (at(), at(), any::<bool>()).prop_map(|(one, other, page)| Damage::Swap(one, other, page)),
        1 => Just(Damage::Delete),
    ]
}

/// End of the history.
#[derive(Debug, Clone)]
enum End {
    /// The process ends; the kernel has all that was written.
    Process,
    /// The power fails: any sector that was not synced may be missing, and any version of the mark
    /// may be there.
    Power { sectors: Vec<u8>, mark: Index },
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Process),
        (vec(any::<u8>(), 16..64), any::<Index>())
            .prop_map(|(sectors, mark)| End::Power { sectors, mark }),
    ]
}

/// A record that was written.
#[derive(Debug, Clone)]
struct Written {
    position: u64,
    payload: Vec<u8>,
    synced: bool,
    /// Index of its write.
    write: usize,
}

impl Written {
    fn range(&self) -> Range<u64> {
        self.position..self.position + (HEADER + self.payload.len()) as u64
    }

    /// Returns its octets in a file.
    fn octets(&self, file: &[u8]) -> Option<Vec<u8>> {
        let ring = LENGTH - PAGE;
        self.range()
            .map(|position| file.get((PAGE + position % ring) as usize).copied())
            .collect()
    }
}

/// Records written to a ring, and its file as it is found.
struct History {
    _directory: tempfile::TempDir,
    paths: Paths,
    written: Vec<Written>,
    tail: u64,
    /// Position before which everything is synced, by the mark that is found.
    marked: u64,
}

impl History {
    fn of(steps: &[Step], end: &End) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths {
            journal: directory.path().join("journal"),
            mark: directory.path().join("journal.synced"),
        };
        let mut ring = Ring::create(&paths, LENGTH, GENERATION_ID).unwrap();
        let mut written: Vec<Written> = Vec::new();
        // The file at the last sync and after each write since.
        let mut images = vec![fs::read(&paths.journal).unwrap()];
        let mut marks = vec![(fs::read(&paths.mark).unwrap(), 0)];
        for (write, step) in steps.iter().enumerate() {
            match step {
                Step::Batch { sizes, sync } => {
                    for size in sizes {
                        let payload = vec![written.len() as u8 | 1; *size];
                        let put = |next: &mut Vec<u8>| {
                            next.extend_from_slice(&payload);
                            Ok(())
                        };
                        if let Some(position) = ring.append(*size, put).unwrap() {
                            written.push(Written {
                                position,
                                payload,
                                synced: false,
                                write,
                            });
                        }
                    }
                    ring.write().unwrap();
                    images.push(fs::read(&paths.journal).unwrap());
                    if *sync {
                        ring.sync().unwrap();
                        written.iter_mut().for_each(|record| record.synced = true);
                        images.drain(..images.len() - 1);
                        marks.push((fs::read(&paths.mark).unwrap(), ring.end()));
                    }
                }
                Step::Free(index) => {
                    let from = ring.tail();
                    let mut ends: Vec<_> = (written.iter())
                        .map(|record| record.position)
                        .filter(|position| *position >= from)
                        .collect();
                    ends.push(ring.end());
                    ring.free_before(*index.get(&ends));
                }
            }
        }
        let (mut mark, mut marked) = marks.last().unwrap().clone();
        if let End::Power { sectors, mark: of } = end {
            let mut file = images[0].clone();
            for (number, sector) in file.chunks_mut(SECTOR).enumerate() {
                let choice = sectors[number % sectors.len()] as usize;
                let image = &images[choice % images.len()];
                sector.copy_from_slice(&image[number * SECTOR..][..SECTOR]);
            }
            fs::write(&paths.journal, file).unwrap();
            (mark, marked) = of.get(&marks).clone();
        }
        fs::write(&paths.mark, mark).unwrap();
        let tail = ring.tail();
        written.retain(|record| record.position >= tail);
        Self {
            _directory: directory,
            paths,
            written,
            tail,
            marked,
        }
    }

    fn scan(&self) -> Scan {
        let generation = Generation {
            id: GENERATION_ID,
            length: LENGTH - PAGE,
        };
        scan(&self.paths, generation, self.tail).unwrap()
    }

    fn damage(&self, all: &[Damage]) {
        let path = &self.paths.journal;
        let mut file = fs::read(path).unwrap();
        for damage in all {
            let length = file.len();
            if length == 0 {
                break;
            }
            let stretch = |at: &Index, octets: usize| {
                let at = at.index(length);
                at..length.min(at + octets)
            };
            match damage {
                Damage::Flip(at, bit) => file[at.index(length)] ^= 1 << bit,
                Damage::Zero(at, octets) => file[stretch(at, *octets)].fill(0),
                Damage::Garble(at, octets) => {
                    let range = stretch(at, *octets);
                    for (number, octet) in file[range].iter_mut().enumerate() {
                        *octet = octet.wrapping_mul(31).wrapping_add(number as u8 | 1);
                    }
                }
                Damage::Truncate(at) => file.truncate(at.index(length)),
                Damage::Swap(one, other, page) => {
                    let size = if *page { PAGE as usize } else { SECTOR };
                    let blocks = length / size;
                    if blocks > 0 {
                        let (one, other) = (one.index(blocks) * size, other.index(blocks) * size);
                        for octet in 0..size {
                            file.swap(one + octet, other + octet);
                        }
                    }
                }
                Damage::Delete => {
                    fs::remove_file(path).unwrap();
                    return;
                }
            }
        }
        fs::write(path, file).unwrap();
    }
}

/// Checks that every record that is found was written.
fn check_only_written_records_are_found(
    history: &History,
    scan: &Scan,
) -> Result<(), TestCaseError> {
    for (position, payload) in &scan.records {
        let written = history.written.iter().find(|it| it.position == *position);
        prop_assert!(written.is_some_and(|written| written.payload == *payload));
    }
    Ok(())
}

fn has(scan: &Scan, record: &Written) -> bool {
    scan.records.iter().any(|(at, _)| *at == record.position)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 250,
        rng_seed: RngSeed::Fixed(SEED),
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_end_without_damage_loses_and_reports_nothing(
        steps in vec(step(), 1..25),
        end in end(),
    ) {
        let history = History::of(&steps, &end);
        let scan = history.scan();
        prop_assert_eq!(&scan.faults, &[]);
        check_only_written_records_are_found(&history, &scan)?;
        for record in &history.written {
            let must = record.synced || matches!(end, End::Process);
            prop_assert!(!must || has(&scan, record), "{:?} is missing", record.range());
        }
    }

    #[test]
    fn whole_records_are_recovered_and_losses_are_reported(
        steps in vec(step(), 1..25),
        end in end(),
        damages in vec(damage(), 1..4),
    ) {
        let history = History::of(&steps, &end);
        let before = fs::read(&history.paths.journal).unwrap();
        history.damage(&damages);
        let after = fs::read(&history.paths.journal).unwrap_or_default();
        let scan = history.scan();
        check_only_written_records_are_found(&history, &scan)?;
        // After a loss of power, it may be unknown that the last record was synced. It is known
        // before the position in the mark that is left, and before the point that a later write
        // notes.
        let writes = history.written.iter().filter(|record| has(&scan, record));
        let later = writes.map(|record| record.write).max();
        for record in history.written.iter().filter(|record| record.synced) {
            let whole = record.octets(&after).is_some() && record.octets(&before) == record.octets(&after);
            prop_assert!(!whole || has(&scan, record), "{:?} is missing", record.range());
            let known = match end {
                End::Process => true,
                End::Power { .. } => record.position < history.marked
                    || later.is_some_and(|later| is_noted(&steps, record.write, later)),
            };
            if known && !has(&scan, record) {
                prop_assert!(!scan.faults.is_empty(), "{:?} is lost without a word", record.range());
            }
        }
    }
}

/// Returns true if a later write notes that this one was synced.
fn is_noted(steps: &[Step], write: usize, later: usize) -> bool {
    let between = steps.get(write..later).unwrap_or_default();
    between
        .iter()
        .any(|step| matches!(step, Step::Batch { sync: true, .. }))
}
