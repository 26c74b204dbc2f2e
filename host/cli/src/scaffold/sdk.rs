//! Location of the SDK, with which policies are built.

use std::path::{Component, Path, PathBuf};

use super::ScaffoldError;

/// Location of the SDK, seen from the new crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sdk {
    /// Folder of the SDK.
    Path(PathBuf),
    /// URL of a repository.
    Git(String),
}

impl Sdk {
    /// Reads a location that was given for a crate in `parent`: the URL of a repository, the SDK's
    /// folder, or that of Gatepost's source.
    ///
    /// # Errors
    /// The folder has no SDK.
    pub fn given(text: &str, parent: &Path) -> Result<Self, ScaffoldError> {
        if text.contains("://") || text.starts_with("git@") {
            return Ok(Self::Git(text.to_owned()));
        }
        let given = Path::new(text);
        for path in [given.to_owned(), given.join("guest/sdk")] {
            if !is_sdk(&path) {
                continue;
            }
            if path.is_relative() && parent == Path::new(".") {
                return Ok(Self::Path(Path::new("..").join(path)));
            }
            return Ok(Self::Path(std::path::absolute(&path).unwrap_or(path)));
        }
        Err(ScaffoldError::NotAnSdk {
            path: given.to_owned(),
        })
    }

    /// Finds the SDK in Gatepost's source in or beside `parent`, or in a folder above it.
    ///
    /// # Errors
    /// There is none.
    pub fn nearby(parent: &Path) -> Result<Self, ScaffoldError> {
        let absolute = std::path::absolute(parent).unwrap_or_else(|_| parent.to_owned());
        let mut up = PathBuf::from("..");
        for above in absolute.ancestors() {
            for place in ["guest/sdk", "gatepost/guest/sdk"] {
                if is_sdk(&above.join(place)) {
                    return Ok(Self::Path(up.join(place)));
                }
            }
            up.push(Component::ParentDir);
        }
        Err(ScaffoldError::NoSdk)
    }

    /// Returns the value of the dependency in a manifest.
    pub(super) fn dependency(&self) -> String {
        let text = |text: &str| toml::Value::from(text).to_string();
        match self {
            Self::Path(path) => format!("{{ path = {} }}", text(&path.to_string_lossy())),
            Self::Git(url) => format!("{{ git = {} }}", text(url)),
        }
    }
}

fn is_sdk(folder: &Path) -> bool {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest
        .lines()
        .any(|line| line == "name = \"gatepost-sdk\"")
}
