//! The settings of header-guard.

/// The rules, in the order in which they are applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// One rule for each header that matters.
    pub rules: Vec<Rule>,
}

/// What becomes of one header.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// The header's name.
    #[schemars(length(min = 1, max = 76))]
    pub header: String,
    /// What becomes of it; nothing by default, which makes sense with `protect` only.
    #[serde(default)]
    pub action: Action,
    /// No later policy of the chain may change or remove it.
    #[serde(default)]
    pub protect: bool,
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

impl Settings {
    /// What is wrong with them that the schema cannot say.
    pub fn problems(&self) -> Vec<String> {
        self.rules
            .iter()
            .enumerate()
            .flat_map(|(index, rule)| rule.problems(index))
            .collect()
    }
}

impl Rule {
    fn problems(&self, index: usize) -> Vec<String> {
        let mut problems = Vec::new();
        let in_name = |b: u8| (33..=126).contains(&b) && b != b':';
        if !self.header.bytes().all(in_name) {
            problems.push(format!(
                "/rules/{index}/header: {:?} is not a header's name",
                self.header
            ));
        }
        if let Action::Set { value } | Action::Require { value: Some(value) } = &self.action
            && value.chars().any(char::is_control)
        {
            problems.push(format!(
                "/rules/{index}/action: the value has control characters"
            ));
        }
        if self.action == Action::Keep && !self.protect {
            problems.push(format!(
                "/rules/{index}: the rule does nothing; give it an action or protect"
            ));
        }
        problems
    }
}
