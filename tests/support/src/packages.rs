//! Programs from Debian's packages.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folder into which `.ci/install` unpacks the packages that cannot be installed beside Postfix,
/// each in a folder of its name.
const UNPACKED: &str = "/opt/gatepost-peers";

/// Returns the path of a program of a Debian package. If it is not installed, reports that in one
/// line and returns `None`.
pub fn debian(package: &str, program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path
        .split(':')
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"]);
    let found = folders
        .map(|folder| PathBuf::from(folder).join(program))
        .find(|p| p.is_file());
    if found.is_none() {
        crate::say(&format!(
            "SKIPPED: {program} is not installed (Debian's package {package})"
        ));
    }
    found
}

/// Returns true if a Debian package with a library that programs load is installed. If not, reports
/// that in one line.
pub fn debian_library(package: &str) -> bool {
    let query = Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .output();
    let found = query.is_ok_and(|output| output.stdout == b"installed");
    if !found {
        crate::say(&format!(
            "SKIPPED: Debian's package {package} is not installed"
        ));
    }
    found
}

/// Returns the Python into whose environment `.ci/install` has put a package of PyPI, if the package
/// can be used there by these imports. If not, reports that in one line and returns `None`.
pub fn python_with(package: &str, imports: &str) -> Option<PathBuf> {
    let python = Path::new(UNPACKED).join(package).join("bin/python3");
    let mut tried = Command::new(&python);
    let tried = tried.args(["-c", imports]).output();
    if tried.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    crate::say(&format!(
        "SKIPPED: {package} of PyPI is not installed in {UNPACKED} (see .ci/install)"
    ));
    None
}

/// Compiler of TypeScript, of npm, which `.ci/install` has put into a folder of its own.
#[derive(Debug)]
pub struct TypeScript {
    modules: PathBuf,
}

impl TypeScript {
    /// Returns the compiler. If it is not installed, or there is no Node to run what it makes, reports
    /// that in one line and returns `None`.
    pub fn installed() -> Option<Self> {
        let modules = Path::new(UNPACKED).join("typescript/node_modules");
        let node = Command::new("node").arg("--version").output();
        let has_both =
            modules.join(".bin/tsc").exists() && node.is_ok_and(|of| of.status.success());
        if !has_both {
            crate::say(&format!(
                "SKIPPED: Node, or typescript of npm in {UNPACKED}, is not installed (see .ci/install)"
            ));
        }
        has_both.then_some(Self { modules })
    }

    /// Checks the types of a file strictly, and compiles it into a folder; returns the JavaScript.
    pub fn compiled(&self, source: &Path, folder: &Path) -> PathBuf {
        let output = Command::new(self.modules.join(".bin/tsc"))
            .args([
                "--strict",
                "--noUncheckedIndexedAccess",
                "--target",
                "es2022",
            ])
            .args(["--module", "commonjs", "--moduleResolution", "node10"])
            .args(["--types", "node", "--typeRoots"])
            .arg(self.modules.join("@types"))
            .arg("--outDir")
            .args([folder, source])
            .output();
        let output = output.unwrap_or_else(|error| panic!("tsc: {error}"));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {said}", source.display());
        let name = source.file_stem().unwrap_or_default();
        folder.join(name).with_extension("js")
    }
}

/// Returns the folder in which a Debian package is unpacked. If it is not, reports that in one line
/// and returns `None`.
pub(crate) fn unpacked(package: &str) -> Option<PathBuf> {
    let folder = Path::new(UNPACKED).join(package);
    if folder.is_dir() {
        return Some(folder);
    }
    crate::say(&format!(
        "SKIPPED: Debian's package {package} is not unpacked in {UNPACKED} (see .ci/install)"
    ));
    None
}

/// Returns true if this process runs as root.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Returns true if a mail server can become its own users here. If not, reports that in one line.
pub(crate) fn root(server: &str) -> bool {
    let root = is_root();
    if !root {
        crate::say(&format!(
            "SKIPPED: {server} cannot be run here (needs root)"
        ));
    }
    root
}
