//! A connection breaks, waits, and works again by itself; its pace keeps within the limits.

use std::time::Duration;

use gatepost_connections::{
    ConnectionKey, ConnectionLimits, ConnectionStanding, ConnectionState, ConnectionStates,
    DialogueStage, May, Period, Profile, Profiles, SessionFailure, SqliteStandings, StandingTerms,
};
use gatepost_message::Millis;
use gatepost_smtp::Reply;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const START: Millis = Millis(1_700_000_000_000);

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

fn profile(name: &str) -> std::sync::Arc<Profile> {
    Profiles::built_in().get(name).unwrap().clone()
}

fn usual(profile: &Profile) -> StandingTerms<'_> {
    let probe = &[];
    StandingTerms { profile, probe }
}

fn refuse(standing: &mut ConnectionStanding, reply: &Reply, now: Millis) {
    let failure = SessionFailure {
        stage: DialogueStage::Greeting,
        reply: Some(reply),
        words: "",
        is_permanent: true,
    };
    standing.session_refused(usual(&profile("generic")), failure, now);
}

fn word(standing: &ConnectionStanding) -> &'static str {
    standing.state().word()
}

#[test]
fn a_refused_session_breaks_the_connection_until_a_probe_opens_one() {
    let mut standing = ConnectionStanding::default();
    assert_eq!(standing.may_begin(START), May::Now);
    let refusal = Reply::new(554, "5.7.1", "no service here");
    refuse(&mut standing, &refusal, START);
    let trouble = standing.state().trouble().unwrap().clone();
    assert_eq!(word(&standing), "broken");
    assert_eq!(trouble.words, "554 5.7.1 no service here");
    assert!(!trouble.advice.is_empty());
    assert_eq!(
        standing.may_begin(START + minutes(0)),
        May::NotBefore(START + minutes(1))
    );

    let probe = START + minutes(1);
    assert_eq!(standing.may_begin(probe), May::Now);
    assert!(
        matches!(standing.may_begin(probe), May::NotBefore(_)),
        "one probe at a time"
    );
    standing.session_opened();
    assert_eq!(word(&standing), "working");
    assert_eq!(standing.may_begin(probe), May::Now);
    assert_eq!(standing.may_begin(probe), May::Now);
}

#[test]
fn probes_back_off_and_begin_anew_after_success() {
    let mut standing = ConnectionStanding::default();
    let refusal = Reply::new(535, "5.7.8", "wrong password");
    let mut now = START;
    for wait in [1, 2, 5, 10, 30, 60, 60] {
        refuse(&mut standing, &refusal, now);
        assert_eq!(standing.may_begin(now), May::NotBefore(now + minutes(wait)));
        now = now + minutes(wait);
        assert_eq!(standing.may_begin(now), May::Now);
    }
    let since = standing.state().trouble().unwrap().since;
    assert_eq!(since, START, "it has been broken from the first refusal on");
    standing.session_opened();
    refuse(&mut standing, &refusal, now);
    assert_eq!(standing.may_begin(now), May::NotBefore(now + minutes(1)));
}

#[test]
fn a_connection_is_probed_by_waits_of_its_own() {
    let mut standing = ConnectionStanding::default();
    let profile = profile("generic");
    let terms = StandingTerms {
        profile: &profile,
        probe: &[Period::seconds(2), Period::seconds(7)],
    };
    let mut now = START;
    for wait in [2, 7, 7] {
        let failure = SessionFailure {
            stage: DialogueStage::Auth,
            reply: None,
            words: "no token",
            is_permanent: true,
        };
        standing.session_refused(terms, failure, now);
        let probe = now + Duration::from_secs(wait);
        assert_eq!(standing.may_begin(now), May::NotBefore(probe));
        now = probe;
        assert_eq!(standing.may_begin(now), May::Now);
    }
}

#[test]
fn a_temporary_refusal_pauses_and_breaks_nothing() {
    let mut standing = ConnectionStanding::default();
    let failure = SessionFailure {
        stage: DialogueStage::Connect,
        reply: None,
        words: "connection refused",
        is_permanent: false,
    };
    standing.session_refused(usual(&profile("generic")), failure, START);
    assert_eq!(word(&standing), "paused");
    assert_eq!(
        standing.state().trouble().unwrap().words,
        "connection refused"
    );
}

#[test]
fn a_log_in_that_mail_needs_is_not_proved_by_a_session_that_opens() {
    let mut standing = ConnectionStanding::default();
    let reply = Reply::new(530, "5.7.57", "Client not authenticated to send mail.");
    let profile = profile("microsoft-365");
    standing.replied(
        usual(&profile),
        DialogueStage::Mail,
        &reply,
        "a@b.example",
        START,
    );
    assert_eq!(word(&standing), "broken");
    let probe = START + minutes(1);
    assert_eq!(standing.may_begin(probe), May::Now);
    standing.session_opened();
    assert_eq!(word(&standing), "broken");
    standing.accepted(probe);
    assert_eq!(word(&standing), "working");
}

#[test]
fn one_mailbox_over_its_quota_stops_no_other() {
    let mut standing = ConnectionStanding::default();
    let limits = ConnectionLimits::default();
    let reply = Reply::new(554, "5.2.0", "SubmissionQuotaExceededException");
    let profile = profile("microsoft-365");
    standing.replied(
        usual(&profile),
        DialogueStage::Data,
        &reply,
        "Ann@b.example",
        START,
    );
    assert_eq!(word(&standing), "working");
    let ann = standing.may_send(&limits, "ann@b.example", 1, START);
    assert_eq!(ann, May::NotBefore(START + minutes(60)));
    assert_eq!(
        standing.may_send(&limits, "ben@b.example", 1, START),
        May::Now
    );
    assert_eq!(
        standing.may_send(&limits, "ann@b.example", 1, START + minutes(60)),
        May::Now
    );
}

#[test]
fn a_change_of_the_connection_is_tried_at_once() {
    let mut standing = ConnectionStanding::default();
    for _ in 0..10 {
        refuse(&mut standing, &Reply::new(535, "5.7.8", "wrong"), START);
    }
    assert!(matches!(standing.may_begin(START), May::NotBefore(_)));
    standing.try_now(START);
    assert_eq!(standing.may_begin(START), May::Now);
}

#[test]
fn words_of_a_server_are_bounded_and_printable() {
    let mut standing = ConnectionStanding::default();
    let failure = SessionFailure {
        stage: DialogueStage::Tls,
        reply: None,
        words: &"\u{1b}[31mred\r\n".repeat(1_000),
        is_permanent: true,
    };
    standing.session_refused(usual(&profile("generic")), failure, START);
    let words = &standing.state().trouble().unwrap().words;
    assert!(words.chars().count() <= 300 && !words.chars().any(char::is_control));
}

#[test]
fn daily_counts_end_after_a_day_and_hold_for_each_mailbox() {
    let limits = ConnectionLimits {
        recipients_a_day: Some(10),
        per_mailbox: true,
        ..ConnectionLimits::default()
    };
    let mut standing = ConnectionStanding::default();
    standing.sends(&limits, "a@b.example", 8, START);
    assert_eq!(
        standing.may_send(&limits, "a@b.example", 2, START),
        May::Now
    );
    let May::NotBefore(until) = standing.may_send(&limits, "a@b.example", 3, START) else {
        panic!("eleven recipients in a day");
    };
    assert!(until > START + minutes(23 * 60) && until <= START + minutes(25 * 60));
    assert_eq!(
        standing.may_send(&limits, "a@b.example", 3, until),
        May::Now
    );
    assert_eq!(
        standing.may_send(&limits, "c@b.example", 10, START),
        May::Now
    );
    // A message over the limit by itself leaves when nothing else has.
    assert_eq!(
        standing.may_send(&limits, "c@b.example", 11, START),
        May::Now
    );
    assert_eq!(standing.sent_in_a_day(START), (1, 8));
}

#[test]
fn states_and_daily_counts_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("connections.db");
    let limits = ConnectionLimits {
        messages_a_day: Some(1),
        ..ConnectionLimits::default()
    };
    let key = ConnectionKey::of_account("acme", "outlook".parse().unwrap());
    let gone = ConnectionKey::of_site("gone".parse().unwrap());
    let open = || ConnectionStates::open(Box::new(SqliteStandings::open(&path).unwrap())).unwrap();
    let states = open();
    states.with(&key, |standing| {
        standing.sends(&limits, "a@b.example", 1, START);
        refuse(standing, &Reply::new(554, "5.7.1", "no"), START);
    });
    states.with(&gone, |standing| {
        refuse(standing, &Reply::new(554, "5.7.1", "no"), START)
    });
    states.save().unwrap();
    states.forget(&gone);
    drop(states);

    let states = open();
    let standing = states.of(&key);
    assert_eq!(standing.state().word(), "broken");
    assert!(matches!(
        standing.may_send(&limits, "a@b.example", 1, START),
        May::NotBefore(_)
    ));
    assert_eq!(states.of(&gone).state(), &ConnectionState::Working);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        rng_seed: RngSeed::Fixed(5321),
        ..ProptestConfig::default()
    })]
    /// No minute has more messages than its limit, whatever the times at which mail comes.
    #[test]
    fn no_minute_has_more_than_its_limit(
        most in 1_u32..8,
        gaps in proptest::collection::vec(0_u64..40_000, 1..120),
    ) {
        let limits = ConnectionLimits {
            messages_a_minute: Some(most),
            ..ConnectionLimits::default()
        };
        let mut standing = ConnectionStanding::default();
        let mut now = START;
        let mut sent: Vec<Millis> = Vec::new();
        for gap in gaps {
            now = now + Duration::from_millis(gap);
            match standing.may_send(&limits, "a@b.example", 1, now) {
                May::Now => {
                    standing.sends(&limits, "a@b.example", 1, now);
                    sent.push(now);
                }
                May::NotBefore(until) => {
                    prop_assert!(until > now);
                    // It is not held longer than needed.
                    prop_assert_eq!(
                        standing.may_send(&limits, "a@b.example", 1, until),
                        May::Now
                    );
                }
            }
        }
        for pair in sent.windows(most as usize + 1) {
            prop_assert!(pair[most as usize].0 - pair[0].0 >= 60_000);
        }
    }
}
