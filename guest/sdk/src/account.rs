//! What the transaction's account has set for the policy that asks.

/// What the account has set for this policy, read as `T`; `None` where it has set nothing, or is
/// not fixed yet.
///
/// The settings of an account come in beside the policy's own and are not checked against its
/// schema: what does not fit is an error, to be treated as the policy sees fit.
///
/// ```
/// use gatepost_sdk::*;
///
/// #[derive(serde::Deserialize, Default, PartialEq, Debug)]
/// #[serde(default)]
/// struct OfAccount { mode: String }
///
/// let _given = native::Given {
///     settings: Some(r#"{ "mode": "enhanced" }"#.into()),
///     ..native::Given::default()
/// }
/// .give();
/// let of_account: OfAccount = settings_of_account().unwrap().unwrap_or_default();
/// assert_eq!(of_account.mode, "enhanced");
/// ```
///
/// # Errors
/// A sentence that says what does not fit.
pub fn settings_of_account<T: serde::de::DeserializeOwned>() -> Result<Option<T>, String> {
    let json = json();
    let read = |json: String| serde_json::from_str(&json).map_err(|error| error.to_string());
    json.map(read).transpose()
}

fn json() -> Option<String> {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::settings_of_account();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.settings.clone())
}
