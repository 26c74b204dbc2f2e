//! The errors of a load, with what to do about each.
//!
//! Many of these texts come from the module: names of imports, problems with settings, reasons. So
//! each text is cut to a length and has no control characters ([`LoadError::bounded`]).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::contract::VERSION;

/// Length limit of one text of an error, in characters.
const MAX_TEXT: usize = 2_000;

/// Length limit of one name or problem in a list, in characters.
const MAX_ITEM: usize = 500;

/// Number of names or problems in a list.
const MAX_ITEMS: usize = 20;

/// Error of an engine that could not be set up on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine cannot start: {0}")]
pub struct EngineError(pub(crate) String);

/// Error of a load. The version that was active before, if any, stays active.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
pub enum LoadError {
    /// File that does not begin like WebAssembly.
    #[error(
        "not a WebAssembly file: it begins with {found}, not with `\\0asm`; give the .wasm that \
         `cargo build --target wasm32-unknown-unknown --release` made"
    )]
    NotWasm {
        /// First bytes, printable.
        found: String,
    },
    /// File that exceeds the limit.
    #[error(
        "the module has {size} octets and the limit is {limit}; build it in release mode, with lto \
         and strip"
    )]
    TooLarge {
        /// Size of the file, in bytes.
        size: usize,
        /// Limit, in bytes.
        limit: usize,
    },
    /// File that begins like WebAssembly but is not valid.
    #[error(
        "the WebAssembly is not valid: {0}; copy the file again, or build it again with `cargo \
         build --target wasm32-unknown-unknown --release`"
    )]
    Invalid(String),
    /// Module with more of something than a policy may have.
    #[error(
        "the module has more than the {limit} {what} that a policy may have; build it in release \
         mode, and do not trust one that a compiler did not make"
    )]
    TooMany {
        /// Name of the things that were counted.
        what: String,
        /// Number of these that a policy may have.
        limit: u64,
    },
    /// Load that exceeded a limit on time, memory or code, and was given up.
    #[error(
        "the module was given up in {step}: {resource}; build it in release mode, and do not \
         trust one that a compiler did not make"
    )]
    Exhausted {
        /// Step of the load.
        step: String,
        /// Limit that was exceeded.
        resource: Resource,
    },
    /// Module made for another version of the contract.
    #[error(
        "this module was built for gatepost:policy {found}, this relay speaks {expected}; build it \
         again with the SDK of version {expected}, by docs/upgrading-policies.md"
    )]
    ContractVersion {
        /// Version that the module was built for.
        found: String,
        /// Version that the relay speaks.
        #[serde(skip, default = "version")]
        expected: &'static str,
    },
    /// Module that imports something that no policy gets.
    #[error(
        "the module imports {}, which a policy may not; it may import only {allowed}",
        names.join(", ")
    )]
    ForbiddenImport {
        /// Names of these imports.
        names: Vec<String>,
        /// Names of the interfaces that a policy may import.
        allowed: String,
    },
    /// Module without an export that every policy needs.
    #[error(
        "the module exports no {0}; a policy exports `settings` and at least one hook (see \
         wit/worlds.wit)"
    )]
    MissingExport(String),
    /// Module that imports or exports a function of the contract with another type.
    #[error("the module does not fit gatepost:policy@{version}: {detail}")]
    Mismatch {
        /// Version that the relay speaks.
        #[serde(skip, default = "version")]
        version: &'static str,
        /// Error of the linker.
        detail: String,
    },
    /// Settings that do not fit the module's schema, or that the module refused.
    #[error(
        "the settings are not valid:{}",
        problems.iter().map(|p| format!("\n  {p}")).collect::<String>()
    )]
    Settings {
        /// Problems, one sentence each, with the JSON path.
        problems: Vec<String>,
    },
    /// Policy with `on-error = "skip"` that must not fail open.
    #[serde(skip)]
    #[error(
        "on-error = \"skip\" is refused: the policy {duty}, and would fail open; use \"tempfail\""
    )]
    SkipFailsOpen {
        /// Duty of the policy, as a verb.
        #[serde(skip)]
        duty: &'static str,
    },
    /// Failure of the module while it was loaded, configured or tried.
    #[error("the module failed in {step}: {detail}")]
    Fault {
        /// Step of the load.
        step: String,
        /// Description of the failure.
        detail: String,
    },
    /// Self-test with an unexpected verdict.
    #[error(
        "self-test {name}: expected {expected}, got {got}{}",
        reasons.as_deref().map(|r| format!(" ({r})")).unwrap_or_default()
    )]
    SelfTest {
        /// Name of the self-test.
        name: String,
        /// Expected verdict.
        expected: String,
        /// Verdict or fault that came instead.
        got: String,
        /// Reasons that the policy gave.
        reasons: Option<String>,
    },
}

fn version() -> &'static str {
    VERSION
}

/// Limit that a load exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// Memory, in bytes.
    Memory(u64),
    /// Processor time.
    Processor(Duration),
    /// Elapsed time.
    Clock(Duration),
    /// Stack.
    Stack,
    /// Machine code with the memory that `configure` has filled, in bytes.
    Code(usize),
    /// Unknown limit: the process was ended by this signal.
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
                let mebibytes = limit >> 20;
                write!(
                    f,
                    "its code and memory are over {mebibytes} MiB when compiled"
                )
            }
            Self::Signal(signal) => write!(f, "its process was ended by signal {signal}"),
        }
    }
}

impl LoadError {
    /// Cuts every text to a length and to one line.
    pub(crate) fn bounded(mut self) -> Self {
        match &mut self {
            Self::NotWasm { found: text }
            | Self::Invalid(text)
            | Self::MissingExport(text)
            | Self::TooMany { what: text, .. }
            | Self::ContractVersion { found: text, .. }
            | Self::Mismatch { detail: text, .. } => cut(text, MAX_TEXT),
            Self::Exhausted { step, .. } => cut(step, MAX_ITEM),
            Self::Fault { step, detail } => {
                cut(step, MAX_ITEM);
                cut(detail, MAX_TEXT);
            }
            Self::ForbiddenImport { names, .. } => cut_list(names),
            Self::Settings { problems } => cut_list(problems),
            Self::SelfTest { got, reasons, .. } => {
                cut(got, MAX_TEXT);
                if let Some(reasons) = reasons {
                    cut(reasons, MAX_TEXT);
                }
            }
            Self::TooLarge { .. } | Self::SkipFailsOpen { .. } => {}
        }
        self
    }
}

fn cut_list(items: &mut Vec<String>) {
    let more = items.len().saturating_sub(MAX_ITEMS);
    items.truncate(MAX_ITEMS);
    for item in items.iter_mut() {
        cut(item, MAX_ITEM);
    }
    if more > 0 {
        items.push(format!("and {more} more"));
    }
}

/// Cuts a text to `most` characters, and escapes control characters.
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
    fn texts_of_a_module_are_cut_and_lose_control_characters() {
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
    fn an_error_is_equal_after_its_way_through_json() {
        let error = LoadError::ContractVersion {
            found: "0.7.0".into(),
            expected: VERSION,
        };
        let sent = serde_json::to_string(&error).unwrap();
        let came: LoadError = serde_json::from_str(&sent).unwrap();
        assert_eq!(came.to_string(), error.to_string());
    }
}
