//! Runs this policy's fixtures natively; `gatepost policy test` runs them in the sandbox.

#[test]
fn fixtures_pass_natively() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    gatepost_sdk::native::fixtures::<inbound_auth::InboundAuth>(folder);
}
