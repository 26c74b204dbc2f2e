//! The fixtures beside this policy, natively; `gatepost policy test` runs them in the sandbox.

#[test]
fn natively_all_is_decided_as_expected() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    gatepost_sdk::native::fixtures::<partner_guard::PartnerGuard>(folder);
}
