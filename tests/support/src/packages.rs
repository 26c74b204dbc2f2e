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
