//! The settings of loop-guard.

/// How loops are told.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Messages with more Received fields than this are refused. RFC 5321 section 6.3 asks for at
    /// least 100.
    #[schemars(range(min = 1, max = 1000))]
    pub hop_limit: u32,
    /// The header that carries the email id of messages that we sent.
    #[schemars(length(min = 1, max = 76))]
    pub email_id_header: String,
    /// For how many days an email id is remembered at a recipient.
    #[schemars(range(min = 1, max = 365))]
    pub remember_days: u32,
    /// The names under which this site's relays write Received. A message with 8 such fields
    /// loops.
    pub own_hosts: Vec<String>,
    /// The header in which the application says who a notification is from: `agent`, for what a
    /// person wrote, or `automatic`.
    #[schemars(length(min = 1, max = 76))]
    pub trigger_header: String,
    /// The header that names the help desk's account that a message is from.
    #[schemars(length(min = 1, max = 76))]
    pub account_id_header: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hop_limit: 100,
            email_id_header: "X-Gatepost-Email-Id".into(),
            remember_days: 7,
            own_hosts: Vec::new(),
            trigger_header: "X-Gatepost-Trigger".into(),
            account_id_header: "X-Gatepost-From-Account-Id".into(),
        }
    }
}

impl Settings {
    /// What is wrong with them that the schema cannot say.
    pub fn problems(&self) -> Vec<String> {
        let plausible = |b: u8| (33..=126).contains(&b) && b != b':';
        let headers = [
            ("email-id-header", &self.email_id_header),
            ("trigger-header", &self.trigger_header),
            ("account-id-header", &self.account_id_header),
        ];
        let wrong = headers
            .into_iter()
            .filter(|(_, name)| !name.bytes().all(plausible));
        wrong
            .map(|(setting, name)| format!("/{setting}: {name:?} is not a header's name"))
            .collect()
    }
}
