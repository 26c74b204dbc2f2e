//! Newcomers: who writes, and to whom nothing went before, be it by an address that nobody has ever
//! seen or by a Reply-To that is another each time. No key that is theirs tells them from each
//! other's machines; how many the account answers, and whether its answers bring the next, does
//! ([`Pace`]).
//!
//! What is counted: `in * new`, what comes from newcomers; `out * new`, the first that goes to
//! each. `wrote THEM` is marked for as long as an answer may take, and `later THEM` where none is
//! to go.

use gatepost_sdk::{Decision, Facts};

use crate::correspondent::Correspondent;
use crate::keys::{self, key};
use crate::pace::{Found, Judged, Pace};
use crate::settings::Settings;

/// How long an answer may take, in seconds.
const ANSWERED: u32 = 2 * 3600;

const COMING: &str = "in * new";
const GOING: &str = "out * new";

/// Newcomers of an account.
pub struct Newcomers<'a> {
    /// Counts as they stood before.
    pub facts: &'a dyn Facts,
    /// The settings.
    pub settings: &'a Settings,
}

impl Newcomers<'_> {
    fn pace<'p>(&'p self, name: &'p str, going: &'p str, limit: u32, message: Judged) -> Pace<'p> {
        Pace {
            facts: self.facts,
            name,
            coming: COMING,
            going,
            limit,
            days: self.settings.remember_days,
            message,
        }
    }

    /// Why no machine should answer one who has written, if so.
    pub fn limit_reached(&self, of_a_person: bool, decision: &mut Decision) -> Option<String> {
        let arrival = Judged::Arrival { of_a_person };
        let pace = self.pace("*", GOING, self.settings.limits.newcomers, arrival);
        let found = pace.look();
        let why = found.too_much.clone();
        found.remember(decision);
        Some(format!(
            "the account has answered who had not been written to, {}",
            why?
        ))
    }

    /// Counts one that came in, and may be answered at these addresses, in canonical form.
    pub fn count_in(&self, addresses: &[&String], decision: &mut Decision) {
        decision.count(COMING, 1);
        for address in addresses {
            decision.mark_seen(wrote(address), ANSWERED);
        }
    }

    /// Whether one of them wants an answer at this address, in canonical form.
    pub fn are_at(&self, address: &str) -> bool {
        self.facts.seen(&wrote(address))
    }

    /// Nothing automatic is to go to these for now.
    pub fn hold(&self, addresses: &[&String], decision: &mut Decision) {
        for address in addresses {
            decision.mark_seen(later(address), ANSWERED);
        }
    }

    /// Whether nothing is to go to this address.
    pub fn are_held(&self, address: &str) -> bool {
        self.facts.seen(&later(address))
    }

    /// Counts the first that goes to one of them.
    pub fn count_out(&self, decision: &mut Decision) {
        decision.count(GOING, 1);
    }

    /// Why nothing automatic goes to somebody to whom much has gone and who never answers, if so:
    /// newcomers write each time that something does. There is such mail for reasons, such as the
    /// news for those who answer tickets, so that it takes twice as much.
    pub fn answer_for(&self, them: &Correspondent<'_>) -> Found {
        let limit = self.settings.limits.newcomers.saturating_mul(2);
        let going = them.outgoing();
        let name = keys::name(them.address);
        self.pace(&name, &going, limit, Judged::Answer).look()
    }
}

fn later(address: &str) -> String {
    key(&["later ", &keys::name(address)])
}

fn wrote(address: &str) -> String {
    key(&["wrote ", &keys::name(address)])
}
