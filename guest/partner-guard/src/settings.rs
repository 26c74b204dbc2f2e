//! Settings of partner-guard.

/// Treatment of mail to and from partners.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Treatment of a recipient who is a partner.
    pub suppress: Suppress,
    /// Reply text for a partner whose mail is refused: one line of printable US-ASCII.
    #[schemars(length(min = 1, max = 400))]
    pub text: String,
    /// Field that tells the application which addressees get no mail. From outside, the relay
    /// accepts no field of the name that `partners` in `[headers]` gives.
    #[schemars(length(min = 1, max = 76))]
    pub partners_header: String,
}

/// Treatment of a recipient who is a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Suppress {
    /// Send nothing to the recipient, and accept the submission: 250.
    Silently,
    /// Refuse the recipient at RCPT: 550.
    Reject,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            suppress: Suppress::Silently,
            text:
                "A ticket-sharing agreement is in place between us; answer in the shared ticket, \
                   not by mail"
                    .into(),
            partners_header: "X-Gatepost-Partners".into(),
        }
    }
}

impl Settings {
    /// Returns the problems that the schema cannot express.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self
            .text
            .bytes()
            .all(|octet| (b' '..=b'~').contains(&octet))
        {
            problems.push(format!(
                "/text: {:?} is not one line of US-ASCII",
                self.text
            ));
        }
        let plausible = |octet: u8| (33..=126).contains(&octet) && octet != b':';
        if !self.partners_header.bytes().all(plausible) {
            let name = &self.partners_header;
            problems.push(format!("/partners-header: {name:?} is not a header's name"));
        }
        problems
    }
}
