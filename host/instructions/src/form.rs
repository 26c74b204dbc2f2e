//! Forms of the instructions: Markdown, or plain text made of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Form of the instructions.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Markdown (CommonMark).
    #[default]
    Markdown,
    /// Plain text.
    Text,
}

/// Text that is no name of a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no form of instructions; write markdown or text")]
pub struct FormError(String);

impl FromStr for Form {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        match text {
            "markdown" => Ok(Self::Markdown),
            "text" => Ok(Self::Text),
            _ => Err(FormError(text.to_owned())),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Markdown => "markdown",
            Self::Text => "text",
        })
    }
}

/// Fence around lines that are to be copied.
const FENCE: &str = "```";

/// Returns Markdown, of the kinds that the templates use, as plain text: headings underlined, lines
/// to be copied indented, no marks around words.
pub(crate) fn plain(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    let mut in_fence = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with(FENCE) {
            in_fence = !in_fence;
        } else if in_fence {
            let indent = if line.is_empty() { "" } else { "    " };
            text.extend([indent, line, "\n"]);
        } else if let Some((marks, title)) = heading(line) {
            let rule = if marks == 1 { "=" } else { "-" };
            let title = unmarked(title);
            let underline = rule.repeat(title.chars().count());
            text.extend([&title, "\n", &underline, "\n"]);
        } else {
            text.extend([unmarked(line).as_str(), "\n"]);
        }
    }
    text
}

/// Returns the level of a heading and its words.
fn heading(line: &str) -> Option<(usize, &str)> {
    let marks = line.bytes().take_while(|byte| *byte == b'#').count();
    let title = line.get(marks..)?.strip_prefix(' ')?;
    (1..=6).contains(&marks).then_some((marks, title))
}

/// Returns a line without the marks of code and of strong words.
fn unmarked(line: &str) -> String {
    line.replace("**", "").replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_no_marks_and_the_same_lines_to_copy() {
        let markdown = "# Mail for `a.example`\n\n**Never** twice.\n\n```\n# not a heading `x`\n\n  y\n```\n- end\n";
        let text = "Mail for a.example\n==================\n\nNever twice.\n\n    # not a heading `x`\n\n      y\n- end\n";
        assert_eq!(plain(markdown), text);
    }
}
