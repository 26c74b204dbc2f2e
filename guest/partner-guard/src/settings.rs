//! The settings of partner-guard.

/// What becomes of mail to partners and from them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// What becomes of a recipient who is a partner.
    pub suppress: Suppress,
    /// What a partner is told whose mail is refused: one line of printable US-ASCII.
    #[schemars(length(min = 1, max = 400))]
    pub text: String,
    /// The field that tells the application who of those addressed will not be written to. From
    /// outside the relay takes none of the name that `partners` in `[headers]` gives.
    #[schemars(length(min = 1, max = 76))]
    pub partners_header: String,
}

/// What becomes of a recipient who is not written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Suppress {
    /// Gets nothing, and the submission is taken: 250.
    Silently,
    /// Is refused at RCPT: 550.
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
    /// What is wrong with them that the schema cannot say.
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
