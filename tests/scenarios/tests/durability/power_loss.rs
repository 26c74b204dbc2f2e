//! Loss of power: only what was fsynced survives, and that is everything that got a 250. With an
//! fsync that does nothing the same test must find mail missing, or it would prove nothing.

use test_support::torture::{self, PowerLoss, power::Mode};

/// Of the moments at which the power is lost.
const SEED: u64 = 2821;

#[test]
fn a_power_loss_loses_no_message() {
    let power = PowerLoss::new(Mode::Sync);
    let outcome = torture::run_power_loss(6, SEED, &power, |line| eprintln!("{line}"));
    println!("{outcome}");
    assert!(
        outcome.accepted > 50,
        "too little load to say anything: {outcome}"
    );
    assert_eq!(outcome.lost, 0, "{outcome}");
}

#[test]
fn a_power_loss_without_fsync_loses_messages() {
    let power = PowerLoss::new(Mode::Nothing);
    let outcome = torture::run_power_loss(1, SEED, &power, |line| eprintln!("{line}"));
    println!("{outcome}");
    assert!(outcome.lost > 0, "{outcome}");
}
