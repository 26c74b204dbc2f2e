//! Authors who want their answers at another address each time, of their own domain: an answer to
//! that address is one to the author.
//!
//! Of each address in Reply-To it is kept whose it is: `for ADDRESS`, counted as one of few
//! numbers, of which each stands for some authors of the domain. A form on a web page does the same
//! for its visitors, and is left alone as far as it can be told.

use gatepost_sdk::classification::{Classification, Rule};
use gatepost_sdk::{Decision, Facts};

use crate::counts::DAY;
use crate::fnv;
use crate::keys::{self, key};

/// So many numbers: what is counted much is kept for longest where there is little room.
const NUMBERS: u64 = 31;

/// An author, as they are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// What stands for them in keys; no address.
    pub name: String,
    number: u32,
}

impl Author {
    fn numbered(domain: &str, number: u32) -> Self {
        let name = format!("#{number} {domain}");
        Self { name, number }
    }

    /// Author of a message, where they want the answer elsewhere at their domain; both addresses in
    /// canonical form.
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
        let number = fnv(author.bytes(), 2) % NUMBERS + 1;
        Some(Self::numbered(&domain, u32::try_from(number).ok()?))
    }

    /// Author whose answers go to this address, in canonical form.
    pub fn behind(facts: &dyn Facts, address: &str) -> Option<Self> {
        let domain = keys::domain(address)?;
        let number = facts.counted(&kept(address), DAY);
        let number = u32::try_from(number).ok().filter(|number| *number > 0)?;
        Some(Self::numbered(&domain, number))
    }

    /// Remembers that their answers go to this address.
    pub fn remember(&self, facts: &dyn Facts, reply_to: &str, decision: &mut Decision) {
        let key = kept(reply_to);
        if facts.counted(&key, DAY) == 0 {
            decision.count(key, self.number);
        }
    }
}

fn kept(address: &str) -> String {
    key(&["for ", &keys::name(address)])
}
