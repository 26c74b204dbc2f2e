//! Words of others, fit to be shown.

use std::fmt;

use gatepost_terminal::escape;
use serde::{Deserialize, Serialize};

/// Words of a server or of a stranger's message, on one line, bounded, and with escapes for what a
/// terminal would hide or obey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuotedWords(String);

impl QuotedWords {
    /// Most characters that are kept of what was said.
    const LONGEST: usize = 300;

    /// Takes over what was said; `None` if that is nothing.
    pub fn of(said: &str) -> Option<Self> {
        let said: Vec<&str> = said
            .get(..said.floor_char_boundary(16 * Self::LONGEST))?
            .split_whitespace()
            .collect();
        let said = said.join(" ");
        let end = said.char_indices().nth(Self::LONGEST);
        let kept = &said[..end.map_or(said.len(), |(at, _)| at)];
        let mut kept = escape::line(kept);
        if end.is_some() {
            kept.push('…');
        }
        (!kept.is_empty()).then_some(Self(kept))
    }

    /// Returns the words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QuotedWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
