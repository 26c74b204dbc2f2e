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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hop_limit: 100,
            email_id_header: "X-Gatepost-Email-Id".into(),
            remember_days: 7,
        }
    }
}

impl Settings {
    /// What is wrong with them that the schema cannot say.
    pub fn problems(&self) -> Vec<String> {
        let plausible = |b: u8| (33..=126).contains(&b) && b != b':';
        if self.email_id_header.bytes().all(plausible) {
            Vec::new()
        } else {
            vec![format!(
                "/email-id-header: {:?} is not a header's name",
                self.email_id_header
            )]
        }
    }
}
