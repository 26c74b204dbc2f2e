//! Authors who want the answer at another address of their own domain each time: an answer to that
//! address counts as one to the author.
//!
//! The author of each Reply-To address is remembered: `for ADDRESS` is counted as one of few
//! numbers, each of which stands for some authors of the domain. A form on a web page sets Reply-To
//! for its visitors in the same way, and is left out as far as it is recognised.

use gatepost_sdk::classification::{Classification, Rule};
use gatepost_sdk::{Decision, Facts};

use crate::counts::DAY;
use crate::fnv;
use crate::keys::{self, key};

/// Number of values that stand for authors of a domain. They are few, so that each is counted
/// often: often counted keys are kept longest where there is little room.
const AUTHOR_NUMBERS: u64 = 31;

/// Author whose Reply-To changes, as counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovingAuthor {
    /// Name in keys; not an address.
    pub name: String,
    number: u32,
}

impl MovingAuthor {
    fn numbered(domain: &str, number: u32) -> Self {
        let name = format!("#{number} {domain}");
        Self { name, number }
    }

    /// Returns the author of a message, if they want the answer at another address of their domain;
    /// both addresses are in canonical form.
    pub fn of(author: &str, reply_to: &str, found: &Classification) -> Option<Self> {
        const FORMS: [Rule; 3] = [Rule::Form, Rule::Script, Rule::ReplyElsewhere];
        let domain = keys::domain(author)?;
        let form = || {
            let mut evidence = found.evidence.iter();
            evidence.any(|evidence| FORMS.contains(&evidence.rule))
        };
        if author == reply_to || keys::domain(reply_to)? != domain || form() {
            return None;
        }
        let number = fnv(author.bytes(), 2) % AUTHOR_NUMBERS + 1;
        Some(Self::numbered(&domain, u32::try_from(number).ok()?))
    }

    /// Returns the author who wants answers at this address, in canonical form.
    pub fn wanting_answers_at(facts: &dyn Facts, address: &str) -> Option<Self> {
        let domain = keys::domain(address)?;
        let number = facts.counted(&reply_to_key(address), DAY);
        let number = u32::try_from(number).ok().filter(|number| *number > 0)?;
        Some(Self::numbered(&domain, number))
    }

    /// Remembers that the author wants answers at this address.
    pub fn remember(&self, facts: &dyn Facts, reply_to: &str, decision: &mut Decision) {
        let key = reply_to_key(reply_to);
        if facts.counted(&key, DAY) == 0 {
            decision.count(key, self.number);
        }
    }
}

fn reply_to_key(address: &str) -> String {
    key(&["for ", &keys::name(address)])
}
