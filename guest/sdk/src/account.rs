//! Settings that the transaction's account has set for the calling policy.

/// Returns the account's settings for this policy, read as `T`; `None` if the account has set
/// nothing, or is not fixed yet.
///
/// An account's settings come beside the policy's own and are not checked against its schema. A
/// value that does not fit is an error, and the policy decides what to do with it.
///
/// ```
/// use gatepost_sdk::*;
///
/// #[derive(serde::Deserialize, Default, PartialEq, Debug)]
/// #[serde(default)]
/// struct OfAccount { mode: String }
///
/// let mut given = native::Given::default();
/// given.directory.settings = Some(r#"{ "mode": "enhanced" }"#.into());
/// let _given = given.give();
/// let of_account: OfAccount = settings_of_account().unwrap().unwrap_or_default();
/// assert_eq!(of_account.mode, "enhanced");
/// ```
///
/// # Errors
/// A sentence that says what does not fit.
pub fn settings_of_account<T: serde::de::DeserializeOwned>() -> Result<Option<T>, String> {
    let json = gatepost_contract::account::settings();
    let read = |json: String| serde_json::from_str(&json).map_err(|error| error.to_string());
    json.map(read).transpose()
}
