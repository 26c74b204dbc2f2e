//! What every message that leaves is marked with, whoever caused it: that a machine has sent it, by
//! which product, for which account, and as which message.
//!
//! Other systems tell by these that no answer of a machine is wanted (RFC 3834), and ours, when it
//! comes back, that it is ours.

use gatepost_sdk::header::encoded;
use gatepost_sdk::{Decision, Transaction, email_id, product};

use crate::rule::{is_name, set};
use crate::section::Section;

/// Which marks there are; each by its own name can be given another header and value, or be left
/// out.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// That a machine has sent it (RFC 3834 section 5).
    pub auto_submitted: Mark,
    /// That no automatic answer is wanted, as Microsoft's servers read it.
    pub auto_response_suppress: Mark,
    /// The product.
    pub mailer: Mark,
    /// The account that it is from.
    pub account_id: Mark,
    /// The id by which it is known again.
    pub email_id: Mark,
}

/// One mark, as far as it differs from the usual.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mark {
    /// The header's name.
    #[schemars(length(min = 1, max = 76))]
    pub header: Option<String>,
    /// What it says: `{product}`, `{account}` and `{email-id}` stand for those.
    pub value: Option<String>,
    /// Left out.
    pub off: bool,
}

/// The marks as they are set.
pub struct Marks {
    set: Vec<Set>,
    /// The product's name where the account has none.
    product: String,
}

struct Set {
    header: String,
    value: String,
}

const PRODUCT: &str = "{product}";
const EMAIL_ID: &str = "{email-id}";
const ACCOUNT: &str = "{account}";

impl Settings {
    /// Each with its name in the settings and what it usually is.
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

    /// The marks, with the name that the product has where the account says no other.
    pub fn marks(&self, product: &str) -> Marks {
        let on = self.each().into_iter().filter(|(_, mark, ..)| !mark.off);
        let set = on.map(|(_, mark, header, value)| Set {
            header: mark.header.as_deref().unwrap_or(header).to_owned(),
            value: mark.value.as_deref().unwrap_or(value).to_owned(),
        });
        Marks {
            set: set.collect(),
            product: product.to_owned(),
        }
    }

    /// Whether what is set is what would be there without it.
    pub fn usual(&self) -> bool {
        self.each().iter().all(|(_, mark, header, value)| {
            !mark.off
                && mark.header.as_deref().is_none_or(|set| set == *header)
                && mark.value.as_deref().is_none_or(|set| set == *value)
        })
    }

    /// What is wrong with them that the schema cannot say.
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
    /// Whether a header is one of them.
    pub fn have(&self, header: &str) -> bool {
        self.set
            .iter()
            .any(|mark| mark.header.eq_ignore_ascii_case(header))
    }

    /// Sets and protects them on what leaves.
    pub fn put(&self, transaction: &Transaction, section: &Section, decision: &mut Decision) {
        for Set { header, value } in &self.set {
            let mut said = value.clone();
            if said.contains(PRODUCT) {
                let product = product().unwrap_or_else(|| self.product.clone());
                said = said.replace(PRODUCT, &product);
            }
            if said.contains(ACCOUNT) {
                let account = transaction.account.as_deref().unwrap_or_default();
                said = said.replace(ACCOUNT, account);
            }
            if said.contains(EMAIL_ID) {
                said = said.replace(EMAIL_ID, &email_id());
            }
            set(section, header, &encoded(said.trim()), decision);
            decision.protect_header(header);
        }
    }
}
