//! `kill -9` at random moments under load, twenty times: nothing that got a 250 is lost.

use test_support::torture;

/// Of the moments at which the relay dies.
const SEED: u64 = 5321;

#[test]
fn a_kill_loses_no_message() {
    let outcome = torture::run(20, SEED, |line| eprintln!("{line}"));
    println!("{outcome}");
    assert!(
        outcome.accepted > 200,
        "too little load to say anything: {outcome}"
    );
    assert_eq!(outcome.lost, 0, "{outcome}");
}
