//! Settings of header-guard.

use crate::marks;
use crate::rule::{Rule, is_name};

/// Checks and edits of headers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Product, as in `X-Mailer: Gatepost Mailer`, of accounts in the configuration; accounts in
    /// the directory have their own.
    #[schemars(length(min = 1, max = 100))]
    pub product: String,
    /// Headers that mark every outbound message.
    pub marks: marks::Settings,
    /// Headers removed from outbound mail: those by which the application instructs the relay.
    pub private: Vec<String>,
    /// Accounts whose submitted mail must have their own addresses in From and Sender.
    pub own_from: OwnFrom,
    /// Treatment of a message that repeats a header which may occur once (RFC 5322 section 3.6).
    pub duplicates: Duplicates,
    /// Treatment of a message whose header section is malformed.
    pub malformed: Malformed,
    /// Rules for further headers, one for each.
    pub rules: Vec<Rule>,
}

/// Accounts whose submitted mail must have their own addresses in From and Sender.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OwnFrom {
    /// Accounts in the relay's directory, whose every address is known.
    #[default]
    Known,
    /// All accounts; those in the configuration by the domains at which they receive.
    Always,
    /// No account.
    Never,
}

/// Treatment of a repeated header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// Merge the fields if the result is unambiguous; else refuse the message.
    #[default]
    Repair,
    /// Refuse the message.
    Refuse,
    /// Keep the first field and remove the others, whatever they hold.
    First,
    /// Keep all fields.
    Keep,
}

/// Treatment of a malformed header section.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Malformed {
    /// Refuse the message.
    #[default]
    Refuse,
    /// Accept the message.
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
    /// Returns the problems that the schema cannot express.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.marks.problems();
        if self.product.chars().any(char::is_control) {
            problems.push("/product: it has control characters".into());
        }
        let marks = self.marks.resolve(&self.product);
        for (index, header) in self.private.iter().enumerate() {
            if !is_name(header) {
                problems.push(format!(
                    "/private/{index}: {header:?} is not a header's name"
                ));
            }
            if marks.contains(header) {
                problems.push(format!("/private/{index}: {header} is one of the marks"));
            }
        }
        for (index, rule) in self.rules.iter().enumerate() {
            problems.extend(rule.problems(&format!("/rules/{index}")));
        }
        problems
    }
}
