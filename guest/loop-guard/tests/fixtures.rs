//! Runs the fixtures beside this policy natively; `gatepost policy test` runs them in the sandbox.

#[test]
fn every_fixture_is_judged_as_expected_natively() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    gatepost_sdk::native::fixtures::<loop_guard::LoopGuard>(folder);
}
