//! Caps hold for what was counted and for what is in hand, and open when their window has slid.

#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use gatepost_counters::SharedCounters;
use gatepost_message::Millis;
use proptest::prelude::*;

use crate::{
    AccountCaps, Cap, CapReached, Caps, InHand, Measure, SiteCaps, Subject, VolumeGate, Window,
    used,
};

const NOW: Millis = Millis(1_800_000_000_000);

struct Site {
    counters: Arc<SharedCounters>,
    gate: Arc<VolumeGate>,
    caps: SiteCaps,
    own: AccountCaps,
}

impl Site {
    fn new(caps: SiteCaps) -> Self {
        let counters = Arc::new(SharedCounters::new(8 << 20));
        Self {
            gate: VolumeGate::new(counters.clone()),
            counters,
            caps,
            own: AccountCaps::default(),
        }
    }

    fn begin(&self, account: &str, credential: &str, now: Millis) -> Result<InHand, CapReached> {
        let subjects = [
            Subject::Account,
            Subject::Domain("acme.example".to_owned()),
            Subject::Credential(credential.to_owned()),
        ];
        let subjects = subjects.map(|subject| {
            let caps = self.caps.in_force(Some(&self.own), &subject);
            (subject, caps)
        });
        (self.gate).begin(account.to_owned(), subjects.into(), now)
    }

    /// Sends a message to so many recipients, of whom as many are accepted as may be.
    fn send(&self, credential: &str, recipients: usize, now: Millis) -> Result<usize, CapReached> {
        let mut in_hand = self.begin("acme", credential, now)?;
        let accepted = (0..recipients).take_while(|_| in_hand.recipient(now).is_ok());
        let accepted = accepted.count();
        self.counters.apply_effects(&in_hand.effects(accepted), now);
        Ok(accepted)
    }
}

fn a_message_an_hour(most: u64) -> Caps {
    Caps {
        messages_an_hour: Some(Cap::AtMost(most)),
        ..Caps::default()
    }
}

fn recipients_a_day(most: u64) -> Caps {
    Caps {
        recipients_a_day: Some(Cap::AtMost(most)),
        ..Caps::default()
    }
}

#[test]
fn a_cap_of_a_credential_leaves_the_others_of_the_account_alone() {
    let site = Site::new(SiteCaps {
        credential: a_message_an_hour(2),
        ..SiteCaps::default()
    });
    site.send("one", 1, NOW).unwrap();
    site.send("one", 1, NOW).unwrap();
    let reached = site.send("one", 1, NOW).unwrap_err();
    assert_eq!(reached.subject, Subject::Credential("one".to_owned()));
    assert_eq!(
        (reached.measure, reached.window),
        (Measure::Messages, Window::Hour)
    );
    assert_eq!(site.send("two", 1, NOW), Ok(1));
    let one = used(&*site.counters, "acme", &reached.subject, NOW);
    assert_eq!((one.messages_in_an_hour, one.recipients_in_a_day), (2, 2));
    let all = used(&*site.counters, "acme", &Subject::Account, NOW);
    assert_eq!(all.messages_in_a_day, 3);
}

#[test]
fn it_opens_when_the_first_message_has_left_the_window() {
    let site = Site::new(SiteCaps {
        account: a_message_an_hour(2),
        ..SiteCaps::default()
    });
    let later = NOW + Duration::from_secs(20 * 60);
    site.send("one", 1, NOW).unwrap();
    site.send("one", 1, later).unwrap();
    let opens = site.send("one", 1, later).unwrap_err().opens.unwrap();
    assert!(opens > NOW + Duration::from_secs(3600) && opens <= NOW + Duration::from_secs(3660));
    let before = Millis(opens.0 - 1);
    assert!(site.send("one", 1, before).is_err());
    site.send("one", 1, opens).unwrap();
    assert!(site.send("one", 1, opens).is_err());
}

#[test]
fn many_sessions_at_once_get_no_further_than_one() {
    let site = Site::new(SiteCaps {
        account: Caps {
            recipients_an_hour: Some(Cap::AtMost(10)),
            ..a_message_an_hour(5)
        },
        ..SiteCaps::default()
    });
    let mut sessions: Vec<_> = (0..5)
        .map(|_| site.begin("acme", "one", NOW).unwrap())
        .collect();
    assert!(site.begin("acme", "one", NOW).is_err());
    let tried = (0..4).flat_map(|_| 0..5_usize);
    let accepted = tried
        .filter(|at| sessions[*at].recipient(NOW).is_ok())
        .count();
    assert_eq!(accepted, 10);
    sessions[0].recipient_refused();
    sessions[1].recipient(NOW).unwrap();
    assert!(sessions[1].recipient(NOW).is_err());
    drop(sessions);
    assert_eq!(site.send("one", 12, NOW), Ok(10));
}

#[test]
fn what_is_set_for_an_account_goes_before_the_site() {
    let mut site = Site::new(SiteCaps {
        account: a_message_an_hour(1),
        domain: recipients_a_day(3),
        credential: Caps::default(),
    });
    site.own.set(
        &Subject::Account,
        Caps {
            messages_an_hour: Some(Cap::Unlimited),
            ..Caps::default()
        },
    );
    for _ in 0..3 {
        assert_eq!(site.send("one", 1, NOW), Ok(1));
    }
    assert_eq!(site.send("one", 1, NOW), Ok(0));
    let domain = Subject::Domain("acme.example".to_owned());
    site.own.set(&domain, recipients_a_day(4));
    assert_eq!(site.send("one", 2, NOW), Ok(1));
    let mut of_nobody = site.begin("other", "two", NOW).unwrap();
    assert!(
        of_nobody.recipient(NOW).is_ok(),
        "another account has counts of its own"
    );
}

#[test]
fn a_cap_of_nothing_never_opens() {
    let site = Site::new(SiteCaps {
        account: a_message_an_hour(0),
        ..SiteCaps::default()
    });
    let reached = site.send("one", 1, NOW).unwrap_err();
    assert_eq!(reached.opens, None);
    assert_eq!(reached.to_string(), "the account may send no messages");
}

#[test]
fn operators_are_told_once_a_window() {
    let site = Site::new(SiteCaps {
        account: a_message_an_hour(1),
        ..SiteCaps::default()
    });
    let told = |now| {
        site.send("one", 1, now)
            .is_err_and(|reached| reached.is_first)
    };
    assert!(!told(NOW));
    assert!(told(NOW));
    assert!(!told(NOW + Duration::from_secs(60)));
    let next = NOW + Duration::from_secs(2 * 3600);
    assert!(!told(next));
    assert!(told(next));
}

#[test]
fn a_cap_is_a_number_or_unlimited() {
    let caps: Caps =
        serde_json::from_str(r#"{"messages-an-hour": 7, "messages-a-day": "unlimited"}"#).unwrap();
    assert_eq!(caps.most(Measure::Messages, Window::Hour), Some(7));
    assert_eq!(caps.most(Measure::Messages, Window::Day), None);
    let written = serde_json::to_string(&caps).unwrap();
    assert_eq!(serde_json::from_str::<Caps>(&written).unwrap(), caps);
    for wrong in [
        r#"{"messages-an-hour": -1}"#,
        r#"{"messages-an-hour": "many"}"#,
    ] {
        assert!(serde_json::from_str::<Caps>(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    /// Whatever is sent and when, no window ever holds more than the cap.
    #[test]
    fn no_window_holds_more_than_its_cap(
        most in 1..6_u64,
        sent in prop::collection::vec((0..40_u64, 1..4_usize), 1..60),
    ) {
        let site = Site::new(SiteCaps {
            account: Caps {
                recipients_an_hour: Some(Cap::AtMost(most)),
                ..Caps::default()
            },
            ..SiteCaps::default()
        });
        let mut now = NOW;
        let mut accepted: Vec<(Millis, usize)> = Vec::new();
        for (minutes, recipients) in sent {
            now = now + Duration::from_secs(minutes * 60);
            let taken = site.send("one", recipients, now).unwrap();
            accepted.push((now, taken));
            let hour = Duration::from_secs(3600);
            let within = accepted.iter().filter(|(at, _)| now.since(*at) < hour);
            let within: usize = within.map(|(_, taken)| taken).sum();
            prop_assert!(within as u64 <= most, "{within} of {most}");
            // It is not closed for longer than it has to be.
            let close = Duration::from_secs(3660);
            let near = accepted.iter().filter(|(at, _)| now.since(*at) <= close);
            let near: usize = near.map(|(_, taken)| taken).sum();
            prop_assert!(taken == recipients || near as u64 >= most);
        }
    }
}
