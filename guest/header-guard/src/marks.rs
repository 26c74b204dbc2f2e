//! Marks of every outbound message: that a machine has sent it, the product, the account, and the
//! message's id.
//!
//! By these, other systems see that no automatic reply is wanted (RFC 3834), and this relay
//! recognises its own mail when it comes back.

use gatepost_sdk::header::encoded;
use gatepost_sdk::{Decision, Transaction, email_id, product};

use crate::rule::{is_name, set};
use crate::section::Section;

/// Marks by their names; each can be given another header and value, or be switched off.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// States that a machine has sent the message (RFC 3834 section 5).
    pub auto_submitted: Mark,
    /// Asks Microsoft's servers for no automatic reply.
    pub auto_response_suppress: Mark,
    /// Names the product.
    pub mailer: Mark,
    /// Names the account that the message is from.
    pub account_id: Mark,
    /// Holds the signed id by which the relay recognises the message.
    pub email_id: Mark,
}

/// Changes to one mark.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mark {
    /// Name of the header.
    #[schemars(length(min = 1, max = 76))]
    pub header: Option<String>,
    /// Value; `{product}`, `{account}` and `{email-id}` are replaced.
    pub value: Option<String>,
    /// Leave the mark out.
    pub off: bool,
}

/// Marks with their headers and values.
pub struct Marks {
    set: Vec<MarkValue>,
    /// Name of the product for accounts without one of their own.
    product: String,
}

struct MarkValue {
    header: String,
    value: String,
}

const PRODUCT: &str = "{product}";
const EMAIL_ID: &str = "{email-id}";
const ACCOUNT: &str = "{account}";

impl Settings {
    /// Returns each mark with its name in the settings, its default header and its default value.
    fn each(&self) -> [(&'static str, &Mark, &'static str, &'static str); 5] {
        [
            (
                "auto-submitted",
                &self.auto_submitted,
                "Auto-Submitted",
                "auto-generated",
            ),
            (
                "auto-response-suppress",
                &self.auto_response_suppress,
                "X-Auto-Response-Suppress",
                "All",
            ),
            ("mailer", &self.mailer, "X-Mailer", "{product} Mailer"),
            (
                "account-id",
                &self.account_id,
                "X-Gatepost-From-Account-Id",
                ACCOUNT,
            ),
            ("email-id", &self.email_id, "X-Gatepost-Email-Id", EMAIL_ID),
        ]
    }

    /// Returns the marks to set; `product` is for accounts without one of their own.
    pub fn resolve(&self, product: &str) -> Marks {
        let on = self.each().into_iter().filter(|(_, mark, ..)| !mark.off);
        let set = on.map(|(_, mark, header, value)| MarkValue {
            header: mark.header.as_deref().unwrap_or(header).to_owned(),
            value: mark.value.as_deref().unwrap_or(value).to_owned(),
        });
        Marks {
            set: set.collect(),
            product: product.to_owned(),
        }
    }

    /// Returns true if the settings have the same effect as the defaults.
    pub fn has_default_values(&self) -> bool {
        self.each().iter().all(|(_, mark, header, value)| {
            !mark.off
                && mark.header.as_deref().is_none_or(|set| set == *header)
                && mark.value.as_deref().is_none_or(|set| set == *value)
        })
    }

    /// Returns the problems that the schema cannot express.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for (name, mark, header, value) in self.each() {
            let header = mark.header.as_deref().unwrap_or(header);
            let value = mark.value.as_deref().unwrap_or(value);
            if !is_name(header) {
                problems.push(format!(
                    "/marks/{name}/header: {header:?} is not a header's name"
                ));
            }
            if value.is_empty() || value.len() > 400 || value.chars().any(char::is_control) {
                problems.push(format!(
                    "/marks/{name}/value: 1 to 400 octets without control characters"
                ));
            }
            if name == "email-id" && value != EMAIL_ID {
                problems.push(format!(
                    "/marks/email-id/value: it has to be {EMAIL_ID}, or nobody knows it again"
                ));
            }
            if mark.off && (mark.header.is_some() || mark.value.is_some()) {
                problems.push(format!(
                    "/marks/{name}: it is off, so it has no header and value"
                ));
            } else if !mark.off {
                if names.iter().any(|other| other.eq_ignore_ascii_case(header)) {
                    problems.push(format!("/marks/{name}/header: another mark is {header}"));
                }
                names.push(header.to_owned());
            }
        }
        problems
    }
}

impl Marks {
    /// Returns true if a header is one of the marks.
    pub fn contains(&self, header: &str) -> bool {
        self.set
            .iter()
            .any(|mark| mark.header.eq_ignore_ascii_case(header))
    }

    /// Sets and protects the marks of an outbound message.
    pub fn apply(&self, transaction: &Transaction, section: &Section, decision: &mut Decision) {
        for MarkValue { header, value } in &self.set {
            let mut text = value.clone();
            if text.contains(PRODUCT) {
                let product = product().unwrap_or_else(|| self.product.clone());
                text = text.replace(PRODUCT, &product);
            }
            if text.contains(ACCOUNT) {
                let account = transaction.account.as_deref().unwrap_or_default();
                text = text.replace(ACCOUNT, account);
            }
            if text.contains(EMAIL_ID) {
                text = text.replace(EMAIL_ID, &email_id());
            }
            set(section, header, &encoded(text.trim()), decision);
            decision.protect_header(header);
        }
    }
}
