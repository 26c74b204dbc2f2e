//! The settings of header-guard.

use crate::marks;
use crate::rule::{Rule, is_name};

/// What it looks at, and what it does.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The product, as in `X-Mailer: Gatepost Mailer`, of accounts that the configuration gives;
    /// those of the directory say their own.
    #[schemars(length(min = 1, max = 100))]
    pub product: String,
    /// What every message that leaves is marked with.
    pub marks: marks::Settings,
    /// Headers that never leave: what the application tells the relay.
    pub private: Vec<String>,
    /// Whether From and Sender of what is submitted have to be addresses of the account.
    pub own_from: OwnFrom,
    /// What becomes of a message that has one of the headers twice that may stand there once
    /// (RFC 5322 section 3.6).
    pub duplicates: Duplicates,
    /// What becomes of a message whose header section is malformed.
    pub malformed: Malformed,
    /// One rule for each further header that matters.
    pub rules: Vec<Rule>,
}

/// Of which accounts From has to be an address of theirs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OwnFrom {
    /// Of those whose every address is known: of the relay's directory.
    #[default]
    Known,
    /// Of those of the configuration too, by the domains at which they receive.
    Always,
    /// Of none.
    Never,
}

/// What becomes of a header that stands there too often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// One is made of them where it is clear what they say together; else the message is refused.
    #[default]
    Repair,
    /// The message is refused.
    Refuse,
    /// The first stays, the others go, whatever they say.
    First,
    /// Nothing.
    Keep,
}

/// What becomes of a malformed header section.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Malformed {
    /// The message is refused.
    #[default]
    Refuse,
    /// Nothing.
    Keep,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            product: "Gatepost".into(),
            marks: marks::Settings::default(),
            private: vec!["X-Gatepost-Trigger".into()],
            own_from: OwnFrom::default(),
            duplicates: Duplicates::default(),
            malformed: Malformed::default(),
            rules: Vec::new(),
        }
    }
}

impl Settings {
    /// What is wrong with them that the schema cannot say.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.marks.problems();
        if self.product.chars().any(char::is_control) {
            problems.push("/product: it has control characters".into());
        }
        let marks = self.marks.marks(&self.product);
        for (index, header) in self.private.iter().enumerate() {
            if !is_name(header) {
                problems.push(format!(
                    "/private/{index}: {header:?} is not a header's name"
                ));
            }
            if marks.have(header) {
                problems.push(format!("/private/{index}: {header} is one of the marks"));
            }
        }
        for (index, rule) in self.rules.iter().enumerate() {
            problems.extend(rule.problems(&format!("/rules/{index}")));
        }
        problems
    }
}
