//! Newcomers: authors to whom nothing went before, by an address never seen before or by a Reply-To
//! that changes each time. No key of their own tells people from machines here; the number that the
//! account answers does, and whether its answers bring the next ([`Pace`]).
//!
//! The keys: `in * new` counts messages from newcomers; `out * new` counts the first message to
//! each. `wrote THEM` is marked for the time that an answer may take, and `later THEM` if nothing
//! automatic is to go to them for now.

use gatepost_sdk::{Decision, Facts};

use crate::correspondent::Correspondent;
use crate::keys::{self, key};
use crate::pace::{JudgedMessage, Pace, PaceJudgement};
use crate::settings::Settings;

/// Time that an answer may take, in seconds.
const ANSWER_SECONDS: u32 = 2 * 3600;

const INCOMING_KEY: &str = "in * new";
const OUTGOING_KEY: &str = "out * new";

/// Newcomers of an account.
pub struct Newcomers<'a> {
    /// Counts as they stood before.
    pub facts: &'a dyn Facts,
    /// The settings.
    pub settings: &'a Settings,
}

impl Newcomers<'_> {
    fn pace<'p>(
        &'p self,
        name: &'p str,
        going: &'p str,
        limit: u32,
        message: JudgedMessage,
    ) -> Pace<'p> {
        Pace {
            facts: self.facts,
            name,
            coming: INCOMING_KEY,
            going,
            limit,
            days: self.settings.remember_days,
            message,
        }
    }

    /// Returns the reason why no machine should answer a newcomer, if the limit is reached.
    pub fn limit_reached(&self, of_a_person: bool, decision: &mut Decision) -> Option<String> {
        let arrival = JudgedMessage::Arrival { of_a_person };
        let pace = self.pace("*", OUTGOING_KEY, self.settings.limits.newcomers, arrival);
        let found = pace.judge();
        let why = found.too_much.clone();
        found.remember(decision);
        Some(format!(
            "the account has answered who had not been written to, {}",
            why?
        ))
    }

    /// Counts a message of a newcomer, who may be answered at these addresses in canonical form.
    pub fn count_in(&self, addresses: &[&String], decision: &mut Decision) {
        decision.count(INCOMING_KEY, 1);
        for address in addresses {
            decision.mark_seen(wrote_key(address), ANSWER_SECONDS);
        }
    }

    /// Returns true if a newcomer waits for an answer at this address in canonical form.
    pub fn await_answer_at(&self, address: &str) -> bool {
        self.facts.seen(&wrote_key(address))
    }

    /// Keeps automatic mail from these addresses for now.
    pub fn hold(&self, addresses: &[&String], decision: &mut Decision) {
        for address in addresses {
            decision.mark_seen(later_key(address), ANSWER_SECONDS);
        }
    }

    /// Returns true if automatic mail is kept from this address.
    pub fn are_held(&self, address: &str) -> bool {
        self.facts.seen(&later_key(address))
    }

    /// Counts the first message to a newcomer.
    pub fn count_out(&self, decision: &mut Decision) {
        decision.count(OUTGOING_KEY, 1);
    }

    /// Judges mail to a correspondent who gets much and never answers: it is a loop if newcomers
    /// write each time that something goes there. The limit is doubled, since there is such mail
    /// for good reasons, such as news for those who answer tickets.
    pub fn pace_of_mail_to(&self, them: &Correspondent<'_>) -> PaceJudgement {
        let limit = self.settings.limits.newcomers.saturating_mul(2);
        let going = them.outgoing_key();
        let name = keys::name(them.address);
        self.pace(&name, &going, limit, JudgedMessage::Answer)
            .judge()
    }
}

fn later_key(address: &str) -> String {
    key(&["later ", &keys::name(address)])
}

fn wrote_key(address: &str) -> String {
    key(&["wrote ", &keys::name(address)])
}
