//! `kill -9` at random moments while programs hand in messages under keys, beside SMTP: each request has
//! one message, however often it is made, and a webhook is told of each in order.

use test_support::torture::submissions;

/// Of the moments at which the relay dies.
const SEED: u64 = 5321;

#[test]
fn a_kill_loses_no_message_over_http_and_doubles_none() {
    let outcome = submissions::run(5, SEED, |line| eprintln!("{line}"));
    println!("{outcome}");
    assert!(
        outcome.answered > 60 && outcome.accepted_unanswered > 0,
        "too little load to say anything: {outcome}"
    );
    assert!(outcome.broken.is_empty(), "{outcome}");
}
