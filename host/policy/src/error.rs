//! Why a module was not loaded, and what to do about it.
//!
//! Much of what is said here the module has a hand in: names of imports, problems with settings,
//! reasons. So each text is cut to a length and has no control characters
//! ([`LoadError::bounded`]).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::contract::VERSION;

/// Characters of one text of an error.
const TEXT: usize = 2_000;

/// Characters of one name or problem in a list of them.
const ITEM: usize = 500;

/// Names or problems of a list.
const ITEMS: usize = 20;

/// The engine could not be set up on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine cannot start: {0}")]
pub struct EngineError(pub(crate) String);

/// Why a module was not loaded. The version in use before, if any, stays in use.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
pub enum LoadError {
    /// The first octets are not those of WebAssembly.
    #[error(
        "not a WebAssembly file: it begins with {found}, not with `\\0asm`; give the .wasm that \
         `cargo build --target wasm32-unknown-unknown --release` made"
    )]
    NotWasm {
        /// The first octets, printable.
        found: String,
    },
    /// The file is over the cap.
    #[error(
        "the module has {size} octets and the limit is {limit}; build it in release mode, with lto and strip"
    )]
    TooLarge {
        /// Octets of the file.
        size: usize,
        /// The cap.
        limit: usize,
    },
    /// It begins as WebAssembly but is not valid.
    #[error(
        "the WebAssembly is not valid: {0}; copy the file again, or build it again with `cargo \
         build --target wasm32-unknown-unknown --release`"
    )]
    Invalid(String),
    /// It has more of something than a policy may.
    #[error(
        "the module has more than the {limit} {what} that a policy may have; build it in release \
         mode, and do not trust one that a compiler did not make"
    )]
    TooMany {
        /// Of what.
        what: String,
        /// How many there may be.
        limit: u64,
    },
    /// It took more of the machine than it may, and was given up.
    #[error(
        "the module was given up in {step}: {resource}; build it in release mode, and do not \
         trust one that a compiler did not make"
    )]
    Exhausted {
        /// What was being done.
        step: String,
        /// What it took too much of.
        resource: Resource,
    },
    /// Made for another version of the contract.
    #[error(
        "this module was built for gatepost:policy@{found}, and this relay speaks \
         gatepost:policy@{expected}; build it with the SDK of version {expected}"
    )]
    ContractVersion {
        /// The module's.
        found: String,
        /// The relay's.
        #[serde(skip, default = "version")]
        expected: &'static str,
    },
    /// It wants what no policy gets.
    #[error(
        "the module imports {}, which a policy may not; it may import only {allowed}",
        names.join(", ")
    )]
    ForbiddenImport {
        /// The imports, by name.
        names: Vec<String>,
        /// What it may import.
        allowed: String,
    },
    /// It lacks what every policy must export.
    #[error(
        "the module exports no {0}; a policy exports `settings` and at least one hook (see wit/worlds.wit)"
    )]
    MissingExport(String),
    /// It imports or exports a function of the contract with another type.
    #[error("the module does not fit gatepost:policy@{version}: {detail}")]
    Mismatch {
        /// The relay's contract.
        #[serde(skip, default = "version")]
        version: &'static str,
        /// The linker's words.
        detail: String,
    },
    /// The settings do not fit the module's schema, or the module refused them.
    #[error("the settings are not valid:{}", problems.iter().map(|p| format!("\n  {p}")).collect::<String>())]
    Settings {
        /// One sentence each, with the JSON path.
        problems: Vec<String>,
    },
    /// `on-error = "skip"` for a policy that must not fail open.
    #[serde(skip)]
    #[error(
        "on-error = \"skip\" is refused: the policy {duty}, and would fail open; use \"tempfail\""
    )]
    SkipFailsOpen {
        /// What it is answerable for.
        #[serde(skip)]
        duty: &'static str,
    },
    /// It failed while it was loaded, configured or tried.
    #[error("the module failed in {step}: {detail}")]
    Fault {
        /// What was being done.
        step: String,
        /// What happened.
        detail: String,
    },
    /// A message of its self-test came out otherwise.
    #[error("self-test {name}: expected {expected}, got {got}{}", reasons.as_deref().map(|r| format!(" ({r})")).unwrap_or_default())]
    SelfTest {
        /// Which.
        name: String,
        /// The verdict that was wanted.
        expected: String,
        /// The verdict that came.
        got: String,
        /// What the policy said.
        reasons: Option<String>,
    },
}

fn version() -> &'static str {
    VERSION
}

/// What loading a module took too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// Octets of memory.
    Memory(u64),
    /// Time of the processor.
    Processor(Duration),
    /// Time by the clock.
    Clock(Duration),
    /// The stack.
    Stack,
    /// Octets of machine code, with the memory that `configure` has filled.
    Code(usize),
    /// Something that ended its process with this signal.
    Signal(i32),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(limit) => write!(f, "it took more than {} MiB of memory", limit >> 20),
            Self::Processor(limit) => {
                write!(
                    f,
                    "it took more than {} s of the processor",
                    limit.as_secs()
                )
            }
            Self::Clock(limit) => write!(f, "it took longer than {} s", limit.as_secs()),
            Self::Stack => f.write_str("it is nested so deeply that the stack ran out"),
            Self::Code(limit) => {
                let mebioctets = limit >> 20;
                write!(
                    f,
                    "its code and memory are over {mebioctets} MiB when compiled"
                )
            }
            Self::Signal(signal) => write!(f, "its process was ended by signal {signal}"),
        }
    }
}

impl LoadError {
    /// The same with every text cut to a length, and on one line.
    pub(crate) fn bounded(mut self) -> Self {
        match &mut self {
            Self::NotWasm { found: text }
            | Self::Invalid(text)
            | Self::MissingExport(text)
            | Self::TooMany { what: text, .. }
            | Self::ContractVersion { found: text, .. }
            | Self::Mismatch { detail: text, .. } => cut(text, TEXT),
            Self::Exhausted { step, .. } => cut(step, ITEM),
            Self::Fault { step, detail } => {
                cut(step, ITEM);
                cut(detail, TEXT);
            }
            Self::ForbiddenImport { names, .. } => list(names),
            Self::Settings { problems } => list(problems),
            Self::SelfTest { got, reasons, .. } => {
                cut(got, TEXT);
                if let Some(reasons) = reasons {
                    cut(reasons, TEXT);
                }
            }
            Self::TooLarge { .. } | Self::SkipFailsOpen { .. } => {}
        }
        self
    }
}

fn list(items: &mut Vec<String>) {
    let more = items.len().saturating_sub(ITEMS);
    items.truncate(ITEMS);
    for item in items.iter_mut() {
        cut(item, ITEM);
    }
    if more > 0 {
        items.push(format!("and {more} more"));
    }
}

/// Cuts a text, and makes control characters visible.
fn cut(text: &mut String, most: usize) {
    if text.len() <= most && !text.chars().any(char::is_control) {
        return;
    }
    let mut cut = String::new();
    for (number, character) in text.chars().enumerate() {
        if number == most {
            cut.push('\u{2026}');
            break;
        }
        if character == '\n' {
            cut.push(' ');
        } else if character.is_control() {
            cut.extend(character.escape_default());
        } else {
            cut.push(character);
        }
    }
    *text = cut;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_says_is_cut_and_has_no_control_characters() {
        let names = (0..100).map(|n| format!("{n}\x1b[2J{}", "x".repeat(100_000)));
        let error = LoadError::ForbiddenImport {
            names: names.collect(),
            allowed: "nothing".into(),
        };
        let text = error.bounded().to_string();
        assert!(text.len() < 15_000, "{}", text.len());
        assert!(
            text.contains("\\u{1b}[2J") && text.contains("and 80 more"),
            "{text}"
        );
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn an_error_survives_the_way_from_one_process_to_the_other() {
        let error = LoadError::ContractVersion {
            found: "0.7.0".into(),
            expected: VERSION,
        };
        let sent = serde_json::to_string(&error).unwrap();
        let came: LoadError = serde_json::from_str(&sent).unwrap();
        assert_eq!(came.to_string(), error.to_string());
    }
}
