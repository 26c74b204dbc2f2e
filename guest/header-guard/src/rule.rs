//! Rules for single headers.

use gatepost_sdk::{Decision, Flow};

use crate::pattern;
use crate::section::Section;

/// The most octets of all fields of one name that are compared with `values`; the time of comparing
/// also grows with the length of the patterns.
const MAX_COMPARED: usize = 16 << 10;

/// Rule for one header.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// Name of the header.
    #[schemars(length(min = 1, max = 76))]
    pub header: String,
    /// Action on the header; none by default.
    #[serde(default)]
    pub action: FieldAction,
    /// Forbid later policies of the chain to change or remove the header.
    #[serde(default)]
    pub protect: bool,
    /// Allowed values: `*` stands for anything, `?` for one character; case does not matter. A
    /// message with another value is refused. Any value is allowed by default.
    #[serde(default)]
    pub values: Vec<String>,
    /// The most fields of this name; a message with more is refused.
    pub max_count: Option<u32>,
    /// The most octets of one such field, with its name; a message with a longer one is refused.
    pub max_size: Option<u32>,
    /// Direction of the mail that the rule applies to.
    #[serde(default)]
    pub direction: Direction,
}

/// Action on a header.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum FieldAction {
    /// Keep the header as it is.
    #[default]
    Keep,
    /// Require the header: with a value, it is added where it is missing; without one, a message
    /// that lacks it is refused.
    #[serde(rename_all = "kebab-case")]
    Require {
        /// Value to add.
        #[serde(default)]
        value: Option<String>,
    },
    /// Set the header to this value, once.
    #[serde(rename_all = "kebab-case")]
    Set {
        /// Value to set.
        value: String,
    },
    /// Refuse a message that has the header.
    Forbid,
    /// Remove the header.
    Strip,
}

/// Direction of the mail that a rule applies to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// All mail.
    #[default]
    Both,
    /// Mail that comes in from outside.
    Inbound,
    /// Mail that the application submits.
    Submission,
}

impl Direction {
    /// Returns true if the rule applies to mail of this flow.
    pub fn is(self, flow: Flow) -> bool {
        match self {
            Self::Both => true,
            Self::Inbound => flow == Flow::Inbound,
            Self::Submission => flow == Flow::Submission,
        }
    }
}

/// Refusal of a message: a sentence for the postmaster, and one for the client.
pub struct Refusal {
    pub reason: String,
    pub text: String,
}

impl Rule {
    /// Returns the refusal of a message that breaks the rule.
    pub fn refusal(&self, section: &Section) -> Option<Refusal> {
        let header = &self.header;
        let refusal = |reason: String, text: String| Some(Refusal { reason, text });
        let present = section.has(header);
        match &self.action {
            FieldAction::Forbid if present => {
                return refusal(
                    format!("{header} is forbidden here"),
                    format!("The header {header} is not allowed here"),
                );
            }
            FieldAction::Require { value: None } if !present => {
                return refusal(
                    format!("{header} is required and missing"),
                    format!("The header {header} is required and missing"),
                );
            }
            // A header that is removed or set anew may hold anything.
            FieldAction::Strip | FieldAction::Set { .. } => return None,
            _ => {}
        }
        if let Some(most) = self.max_count {
            let count = section.named(header).count();
            if count > most as usize {
                return refusal(
                    format!("{header} stands there {count} times, at most {most} are allowed"),
                    format!("The header {header} may stand there {most} times"),
                );
            }
        }
        if let Some(most) = self.max_size {
            let longest = section.named(header).map(|field| field.size()).max();
            if let Some(size) = longest.filter(|size| *size > most as usize) {
                return refusal(
                    format!("{header} has {size} octets, at most {most} are allowed"),
                    format!("The header {header} may have {most} octets"),
                );
            }
        }
        if !self.values.is_empty() {
            let octets: usize = section.named(header).map(|field| field.size()).sum();
            if octets > MAX_COMPARED {
                return refusal(
                    format!(
                        "{header} has {octets} octets, and {MAX_COMPARED} are compared with values"
                    ),
                    format!("The header {header} may not say that much"),
                );
            }
            let mut values = section.named(header).map(|field| field.value());
            let allowed = |value: &str| self.values.iter().any(|may| pattern::fits(may, value));
            if let Some(value) = values.find(|value| !allowed(value)) {
                let value: String = value.chars().take(100).collect();
                return refusal(
                    format!("{header} may not say {value:?}"),
                    format!("The header {header} may not say that"),
                );
            }
        }
        None
    }

    /// Applies the action to a message that is not refused. `kept` is true for a mark, which only
    /// header-guard itself may write.
    pub fn apply(&self, section: &Section, kept: bool, decision: &mut Decision) {
        let header = &self.header;
        match &self.action {
            FieldAction::Require { value: Some(value) } if !kept && !section.has(header) => {
                decision.reason(format!("{header} was missing and is added"));
                decision.add_header(header, value);
            }
            FieldAction::Set { value } if !kept && set(section, header, value, decision) => {
                decision.reason(format!("{header} is set"));
            }
            FieldAction::Strip if !kept && section.has(header) => {
                decision.reason(format!("{header} is removed"));
                decision.remove_header(header);
            }
            _ => {}
        }
        if self.protect && !kept {
            decision.protect_header(header);
        }
    }

    pub(crate) fn problems(&self, at: &str) -> Vec<String> {
        let mut problems = Vec::new();
        if !is_name(&self.header) {
            let header = &self.header;
            problems.push(format!("{at}/header: {header:?} is not a header's name"));
        }
        if let FieldAction::Set { value } | FieldAction::Require { value: Some(value) } =
            &self.action
            && value.chars().any(char::is_control)
        {
            problems.push(format!("{at}/action: the value has control characters"));
        }
        let limits = !self.values.is_empty() || self.max_count.is_some() || self.max_size.is_some();
        match self.action {
            FieldAction::Keep if !self.protect && !limits => problems.push(format!(
                "{at}: the rule does nothing; give it an action, protect or what the header may be"
            )),
            FieldAction::Strip | FieldAction::Set { .. } | FieldAction::Forbid if limits => problems.push(format!(
                "{at}: values, max-count and max-size hold for what is kept, and this header is not"
            )),
            _ => {}
        }
        problems
    }
}

/// Sets a header to this value, once; returns true if that took an edit. A header that already has
/// the value is left alone: an edit that changes nothing could still break a signature.
pub fn set(section: &Section, header: &str, value: &str, decision: &mut Decision) -> bool {
    let mut fields = section.named(header);
    let unfolded = value.replace("\r\n", "");
    let already = fields.next().is_some_and(|field| field.value() == unfolded);
    if already && fields.next().is_none() {
        return false;
    }
    decision.set_header(header, value);
    true
}

/// Returns true if this can be a header's name (RFC 5322 section 2.2).
pub fn is_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_graphic() && b != b':') && (1..=76).contains(&name.len())
}
