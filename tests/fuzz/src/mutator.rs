//! Inputs made of seeds and words.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

/// Octets of the longest input.
const LONGEST: usize = 64 << 10;

/// Makes inputs: a seed, changed a few times.
#[derive(Debug)]
pub struct Mutator {
    seeds: Vec<Vec<u8>>,
    words: &'static [&'static [u8]],
}

impl Mutator {
    /// Makes a mutator of these seeds and words.
    pub fn new(seeds: Vec<Vec<u8>>, words: &'static [&'static [u8]]) -> Self {
        Self { seeds, words }
    }

    /// Returns the input of this number: always the same.
    pub fn input(&self, number: u64) -> Vec<u8> {
        let mut random = StdRng::seed_from_u64(number);
        let mut input = self.seeds.choose(&mut random).cloned().unwrap_or_default();
        for _ in 0..random.random_range(0..12) {
            self.change(&mut input, &mut random);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&self, input: &mut Vec<u8>, random: &mut StdRng) {
        let at = random.random_range(0..=input.len());
        let end = random.random_range(at..=input.len().min(at + 256));
        match random.random_range(0..8) {
            0 => {
                input.drain(at..end);
            }
            1 => {
                let piece = input[at..end].to_vec();
                insert(input, at, &piece.repeat(random.random_range(1..8)));
            }
            2 => {
                if let Some(octet) = input.get_mut(at) {
                    *octet = random.random();
                }
            }
            3 => insert(input, at, &[random.random()]),
            4 => {
                // The beginning of one seed and the end of another.
                if let Some(other) = self.seeds.choose(random) {
                    let from = random.random_range(0..=other.len());
                    input.truncate(at);
                    input.extend_from_slice(&other[from..]);
                }
            }
            5 => {
                if let Some(word) = self.words.choose(random) {
                    insert(input, at, &word.repeat(1 << random.random_range(0..9)));
                }
            }
            _ => {
                if let Some(word) = self.words.choose(random) {
                    insert(input, at, word);
                }
            }
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    if input.len() + piece.len() <= LONGEST {
        input.splice(at..at, piece.iter().copied());
    }
}
