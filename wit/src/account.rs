//! Settings that the transaction's account has set for the calling policy.

#[cfg(not(target_arch = "wasm32"))]
use crate::answers::ACCOUNT;

/// Returns the account's settings for the calling policy, a JSON object; `None` if the account has
/// set nothing, or is not fixed yet.
///
/// ```
/// let mut given = gatepost_sdk::native::Given::default();
/// given.directory.settings = Some(r#"{ "mode": "enhanced" }"#.into());
/// let _given = given.give();
/// assert!(gatepost_contract::account::settings().unwrap().contains("enhanced"));
/// ```
pub fn settings() -> Option<String> {
    look_up!(settings_of_account::get(), |known| known
        .directory
        .settings(ACCOUNT, ""))
}
