//! Machines do not write to each other for ever: a server that answers everything, and another help
//! desk that answers everything, too.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::desk::{Acknowledges, Desk, Draft};
use crate::places::{OTHER_DESK, OTHER_NATIVE, OTHER_SUPPORT, SUPPORT, at};
use crate::site::{Site, has_account, relay};

/// Somebody's machine, which answers every message, and does not say that it is one.
const MACHINE: &str = "anybody@author.example";

/// Answers of the desk until the relay lets no more of them go.
const MOST: usize = 8;

/// The desk acknowledges every new ticket, and a machine answers each acknowledgement with a new
/// message: it ends.
pub fn machines_do_not_loop(site: &Site) {
    let (desk, world) = (&site.desk, &site.world);
    let mut answers = 0;
    loop {
        let subject = format!("absent until {answers}");
        let id = world.writes(MACHINE, SUPPORT, &subject, "");
        let (_, letter) = desk.got(&id);
        if letter.has_tag("suppress-automatic") {
            break;
        }
        // It is answered, or the relay keeps the answer.
        let looked = Duration::from_millis(50);
        let taken = loop {
            if let Some(taken) = world.gets_within(looked, |to| to == MACHINE) {
                break Some(taken);
            }
            let is_kept = |of: &Value| of["kind"] == "suppressed" && of["recipient"] == MACHINE;
            if desk.state().events.iter().any(is_kept) {
                break None;
            }
        };
        let Some(taken) = taken else {
            break;
        };
        assert_eq!(taken.header("In-Reply-To").as_ref(), Some(&id));
        answers += 1;
        assert!(answers < MOST, "it goes on: {letter:?}");
    }
    assert!(answers > 0, "the desk answers nobody");
}

/// Another help desk behind another relay answers everything, and heeds nothing that its relay says. An
/// agent of either desk writes to the other one: one message goes each way, and no answer of a
/// machine.
pub fn desks_do_not_loop(site: &Site) {
    let other = Desk::start(Acknowledges::Everything);
    let inbound: SocketAddr = at(OTHER_DESK, site.world.port());
    let other_relay = relay(&site.dns, &site.world, inbound, (&other, &[])).start();
    has_account(&other_relay, &other, OTHER_NATIVE, OTHER_SUPPORT);
    let draft = |from: &'static str, to: &'static [&'static str]| Draft {
        from,
        to,
        subject: "a question between desks",
        text: "Do you know of our parcel?",
        trigger: "agent",
    };
    let arrives = |at: &Desk, address: &str| {
        at.until("the other desk's message", |state| {
            let mut letters = state.tickets.letters();
            let found = letters.find(|letter| letter.author == address);
            found.cloned()
        })
    };

    other.writes(&draft(OTHER_SUPPORT, &[SUPPORT]));
    let letter = arrives(&site.desk, OTHER_SUPPORT);
    assert!(letter.has_tag("suppress-automatic"), "{letter:?}");

    site.desk.writes(&draft(SUPPORT, &[OTHER_SUPPORT]));
    let letter = arrives(&other, SUPPORT);
    assert!(letter.has_tag("suppress-automatic"), "{letter:?}");
    // It answers nevertheless, and its relay keeps the answer.
    let kept = other.until("an answer that is not sent", |state| {
        let mut events = state.events.iter();
        events.find(|of| of["kind"] == "suppressed").cloned()
    });
    assert_eq!(kept["recipient"], SUPPORT, "{kept}");
    for (desk, author) in [(&site.desk, OTHER_SUPPORT), (&other, SUPPORT)] {
        let state = desk.state();
        let came = state.tickets.letters();
        let came = came.filter(|letter| letter.author == author);
        assert_eq!(came.count(), 1);
    }
    let mut other_relay = other_relay;
    assert!(other_relay.terminate().success());
}
