//! Why a module was not loaded, and what to do about it.

/// The engine could not be set up on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly engine cannot start: {0}")]
pub struct EngineError(pub(crate) String);

/// Why a module was not loaded. The version in use before, if any, stays in use.
#[derive(Debug, thiserror::Error)]
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
    #[error("the WebAssembly is not valid: {0}")]
    Invalid(String),
    /// Made for another version of the contract.
    #[error(
        "this module was built for gatepost:policy@{found}, and this relay speaks \
         gatepost:policy@{expected}; build it with the SDK of version {expected}"
    )]
    ContractVersion {
        /// The module's.
        found: String,
        /// The relay's.
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
    #[error(
        "on-error = \"skip\" is refused: the policy {duty}, and would fail open; use \"tempfail\""
    )]
    SkipFailsOpen {
        /// What it is answerable for.
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
