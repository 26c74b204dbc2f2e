//! `gatepost policy new`: writes a crate that builds, has a passing test and can be put in a chain.
//!
//! The crate is written beside its final folder and then moved as a whole, so that there is either
//! a complete crate or none.

mod hooks;
mod sdk;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

pub use self::hooks::HOOKS;
use self::hooks::{Example, example};
pub use self::sdk::Sdk;

/// Crate of a new policy, not written yet.
#[derive(Debug)]
pub struct Scaffold {
    name: String,
    hooks: Vec<&'static Example>,
    sdk: String,
}

/// Error of writing the crate. Nothing is left behind.
#[derive(Debug, Error, Diagnostic)]
pub enum ScaffoldError {
    /// Cargo would refuse the name.
    #[error("{name:?} is no name for a policy: {problem}")]
    #[diagnostic(help("such as no-spam: lower-case letters, digits, - and _"))]
    Name {
        /// Name that was given.
        name: String,
        /// Reason why it is refused.
        problem: &'static str,
    },
    /// Something exists in the crate's place.
    #[error("{} is there already", folder.display())]
    #[diagnostic(help("choose another name, or move it away"))]
    Exists {
        /// Folder of the crate.
        folder: PathBuf,
    },
    /// The given folder has no SDK.
    #[error("there is no gatepost-sdk in {}", path.display())]
    #[diagnostic(help(
        "give the folder guest/sdk of Gatepost's source, or the URL of its repository"
    ))]
    NotAnSdk {
        /// Folder that was given.
        path: PathBuf,
    },
    /// No SDK was given, and none was found nearby.
    #[error("cannot find the SDK that policies are built with")]
    #[diagnostic(help(
        "give the folder guest/sdk of Gatepost's source, or the URL of its repository, with --sdk; a \
         folder gatepost/ beside the policy is found by itself"
    ))]
    NoSdk,
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// Path of the file or folder.
        path: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
}

impl Scaffold {
    /// Prepares a crate for a policy of this name with these hooks, built with this SDK.
    ///
    /// # Errors
    /// The name is not valid for a crate, or there is no SDK.
    pub fn new(
        name: &str,
        hooks: &[String],
        sdk: impl FnOnce() -> Result<Sdk, ScaffoldError>,
    ) -> Result<Self, ScaffoldError> {
        check_name(name)?;
        let wanted = |hook: &&&str| hooks.iter().any(|wanted| wanted == *hook);
        let hooks = HOOKS.iter().filter(wanted).filter_map(|hook| example(hook));
        Ok(Self {
            name: name.to_owned(),
            hooks: hooks.collect(),
            sdk: sdk()?.dependency(),
        })
    }

    /// Writes the crate into a folder of its name in `parent`, and returns the folder.
    ///
    /// # Errors
    /// Something has that name, or a file cannot be written.
    pub fn write(&self, parent: &Path) -> Result<PathBuf, ScaffoldError> {
        let folder = parent.join(&self.name);
        if folder.symlink_metadata().is_ok() {
            return Err(ScaffoldError::Exists { folder });
        }
        let beside = parent.join(format!(".{}.{}", self.name, std::process::id()));
        let unwritable = |source| ScaffoldError::Unwritable {
            path: folder.clone(),
            source,
        };
        let written = self
            .write_files(&beside)
            .and_then(|()| fs::rename(&beside, &folder));
        if let Err(error) = written {
            // A half written crate is of no use, and the first error is the one to report.
            let _ = fs::remove_dir_all(&beside);
            return Err(unwritable(error));
        }
        Ok(folder)
    }

    fn write_files(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir(folder)?;
        fs::create_dir(folder.join("src"))?;
        fs::create_dir(folder.join("fixtures"))?;
        fs::write(folder.join("Cargo.toml"), self.fill(MANIFEST))?;
        fs::write(folder.join(".gitignore"), "/target\n")?;
        fs::write(folder.join("README.md"), self.fill(README))?;
        fs::write(folder.join("src/lib.rs"), self.fill(SOURCE))?;
        for (name, text) in self.hooks.iter().flat_map(|hook| hook.fixtures) {
            fs::write(folder.join("fixtures").join(name), text)?;
        }
        Ok(())
    }

    fn fill(&self, template: &str) -> String {
        let each = |part: fn(&Example) -> &str| {
            let parts: Vec<_> = self.hooks.iter().map(|hook| part(hook)).collect();
            parts
        };
        template
            .replace("{name}", &self.name)
            .replace("{lib}", &self.name.replace('-', "_"))
            .replace("{Policy}", &camel_case(&self.name))
            .replace("{sdk}", &self.sdk)
            .replace("{hooks}", &each(|hook| hook.hook).join(", "))
            .replace("{settings}", &each(|hook| hook.setting).concat())
            .replace("{example}", each(|hook| hook.example)[0])
            .replace("{methods}", &each(|hook| hook.method).join("\n"))
    }
}

/// Returns `NoSpam` for `no-spam`.
fn camel_case(name: &str) -> String {
    let words = name.split(['-', '_']).filter(|word| !word.is_empty());
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    words.map(capital).collect()
}

/// Refuses a name that cargo or the language refuses for a crate, or the configuration for a
/// policy.
fn check_name(name: &str) -> Result<(), ScaffoldError> {
    const RESERVED: &[&str] = &[
        "abstract",
        "alloc",
        "as",
        "async",
        "await",
        "become",
        "box",
        "break",
        "build",
        "const",
        "continue",
        "core",
        "crate",
        "deps",
        "do",
        "dyn",
        "else",
        "enum",
        "examples",
        "extern",
        "false",
        "final",
        "fn",
        "for",
        "gatepost-sdk",
        "gen",
        "if",
        "impl",
        "in",
        "incremental",
        "let",
        "loop",
        "macro",
        "match",
        "mod",
        "move",
        "mut",
        "override",
        "policy",
        "priv",
        "proc-macro",
        "pub",
        "ref",
        "return",
        "schemars",
        "self",
        "serde",
        "settings",
        "static",
        "std",
        "struct",
        "super",
        "test",
        "trait",
        "true",
        "try",
        "type",
        "typeof",
        "unsafe",
        "unsized",
        "use",
        "virtual",
        "where",
        "while",
        "yield",
    ];
    let in_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let problem = if name.is_empty() || name.len() > 64 {
        "it has 1 to 64 characters"
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "it begins with a lower-case letter"
    } else if !name.bytes().all(in_name) {
        "it has lower-case letters, digits, - and _"
    } else if RESERVED.contains(&name.replace('_', "-").as_str()) {
        "the word has a meaning of its own"
    } else {
        return Ok(());
    };
    Err(ScaffoldError::Name {
        name: name.to_owned(),
        problem,
    })
}

const MANIFEST: &str = r#"[package]
name = "{name}"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[dependencies]
gatepost-sdk = {sdk}
serde = { version = "1", features = ["derive"] }
schemars = "1"

# Built to answer fast; with "s" the module is a third smaller, and a call takes a little longer.
[profile.release]
opt-level = 2
lto = true
codegen-units = 1
panic = "abort"
strip = true

# A crate of its own, wherever it lies. Remove it in a workspace of yours.
[workspace]
"#;

const SOURCE: &str = r#"//! What this policy does, in a sentence.

use gatepost_sdk::*;

/// Settings of the policy: parsing and schema come from this one definition.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
{settings}}

/// The policy.
pub struct {Policy} {
    settings: Settings,
}

impl Policy for {Policy} {
    type Settings = Settings;

    /// Refuses settings that the schema allows and the policy does not, with a sentence each.
    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        Ok(Self { settings })
    }

{methods}}

gatepost_sdk::export!({Policy}: {hooks});

#[cfg(test)]
mod tests {
    #[test]
    fn fixtures() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
        gatepost_sdk::native::fixtures::<super::{Policy}>(folder);
    }
}
"#;

const README: &str = r#"# {name}

A policy for Gatepost, an SMTP relay whose decisions are made by WebAssembly
modules. Hooks: {hooks}.

```sh
rustup target add wasm32-unknown-unknown                  # once
cargo build --target wasm32-unknown-unknown --release
gatepost policy test                                      # the fixtures, in the sandbox
cargo test                                                # the fixtures, as plain Rust
```

A fixture is a `.toml` in `fixtures/`, with a message beside it where the hook sees one. After a change
that you mean, `gatepost policy test --bless` writes the actual decisions as the expected ones.

In the relay's configuration, and its name in the `chain` of a listener:

```toml
[[policy]]
name = "{name}"
file = "/path/to/{lib}.wasm"
settings = { {example} }
```

From then on, `gatepost policy activate {lib}.wasm` activates the next version while mail flows.
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cargo_refuses_are_refused() {
        for name in ["a", "no-spam", "no_spam2", "x-"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "a".repeat(65);
        for name in [
            "",
            "-a",
            "1a",
            "No",
            "no spam",
            "a/b",
            "../a",
            "é",
            "fn",
            "self",
            "gatepost_sdk",
            &long,
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert_eq!(camel_case("no-spam_2x"), "NoSpam2x");
    }
}
