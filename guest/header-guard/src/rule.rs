//! One rule: what becomes of one header, and what it may be.

use gatepost_sdk::{Decision, Flow};

use crate::pattern;
use crate::section::Section;

/// Octets of all fields of one name that are held against `values`: each costs time by the length of the
/// patterns too.
const COMPARED: usize = 16 << 10;

/// What becomes of one header.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// The header's name.
    #[schemars(length(min = 1, max = 76))]
    pub header: String,
    /// What becomes of it; nothing by default.
    #[serde(default)]
    pub action: Action,
    /// No later policy of the chain may change or remove it.
    #[serde(default)]
    pub protect: bool,
    /// What it may say: `*` stands for anything, `?` for one character, in any case. A message
    /// where it says anything else is refused. Anything goes by default.
    #[serde(default)]
    pub values: Vec<String>,
    /// How often it may stand there; a message with more is refused.
    pub max_count: Option<u32>,
    /// Octets that one such field may have, with its name; a message with a longer one is refused.
    pub max_size: Option<u32>,
    /// Which mail the rule is for.
    #[serde(default)]
    pub direction: Direction,
}

/// What becomes of a header.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    #[default]
    Keep,
    /// It has to be there: with a value it is added where it is missing, without one a message
    /// that lacks it is refused.
    #[serde(rename_all = "kebab-case")]
    Require {
        /// What it is added with.
        #[serde(default)]
        value: Option<String>,
    },
    /// It stands there once, with this value.
    #[serde(rename_all = "kebab-case")]
    Set {
        /// The value.
        value: String,
    },
    /// A message that has it is refused.
    Forbid,
    /// It is removed.
    Strip,
}

/// Which mail a rule is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// All of it.
    #[default]
    Both,
    /// What comes in from the world.
    Inbound,
    /// What the application submits.
    Submission,
}

impl Direction {
    /// Whether mail of this flow is meant.
    pub fn is(self, flow: Flow) -> bool {
        match self {
            Self::Both => true,
            Self::Inbound => flow == Flow::Inbound,
            Self::Submission => flow == Flow::Submission,
        }
    }
}

/// Why a message is refused: in a sentence for the postmaster, and for the client.
pub struct Refusal {
    pub reason: String,
    pub text: String,
}

impl Rule {
    /// Why a message is refused by it, if so.
    pub fn refusal(&self, section: &Section) -> Option<Refusal> {
        let header = &self.header;
        let refusal = |reason: String, text: String| Some(Refusal { reason, text });
        let present = section.has(header);
        match &self.action {
            Action::Forbid if present => {
                return refusal(
                    format!("{header} is forbidden here"),
                    format!("The header {header} is not allowed here"),
                );
            }
            Action::Require { value: None } if !present => {
                return refusal(
                    format!("{header} is required and missing"),
                    format!("The header {header} is required and missing"),
                );
            }
            // What goes or is written anew may be as it likes.
            Action::Strip | Action::Set { .. } => return None,
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
            if octets > COMPARED {
                return refusal(
                    format!(
                        "{header} has {octets} octets, and {COMPARED} are compared with values"
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

    /// Does what it says to a message that is not refused. `kept` is true of a header that is
    /// nobody's but header-guard's own to write.
    pub fn apply(&self, section: &Section, kept: bool, decision: &mut Decision) {
        let header = &self.header;
        match &self.action {
            Action::Require { value: Some(value) } if !kept && !section.has(header) => {
                decision.reason(format!("{header} was missing and is added"));
                decision.add_header(header, value);
            }
            Action::Set { value } if !kept && set(section, header, value, decision) => {
                decision.reason(format!("{header} is set"));
            }
            Action::Strip if !kept && section.has(header) => {
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
        if let Action::Set { value } | Action::Require { value: Some(value) } = &self.action
            && value.chars().any(char::is_control)
        {
            problems.push(format!("{at}/action: the value has control characters"));
        }
        let limits = !self.values.is_empty() || self.max_count.is_some() || self.max_size.is_some();
        match self.action {
            Action::Keep if !self.protect && !limits => problems.push(format!(
                "{at}: the rule does nothing; give it an action, protect or what the header may be"
            )),
            Action::Strip | Action::Set { .. } | Action::Forbid if limits => problems.push(format!(
                "{at}: values, max-count and max-size hold for what is kept, and this header is not"
            )),
            _ => {}
        }
        problems
    }
}

/// Lets a header stand once, with this value; says whether that took an edit. It is left alone where
/// it already does: an edit that changes nothing could still break a signature.
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

/// Whether this can be a header's name (RFC 5322 section 2.2).
pub fn is_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_graphic() && b != b':') && (1..=76).contains(&name.len())
}
