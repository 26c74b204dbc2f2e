//! Programs from Debian's packages.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `.ci/install` unpacks what cannot be installed beside Postfix, each package in a folder
/// of its name.
const UNPACKED: &str = "/opt/gatepost-peers";

/// Where a program of a Debian package is, if it is installed. Says so, in one line, where it is
/// not.
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

/// Whether a Debian package that other programs load is installed. Says so, in one line, where it
/// is not.
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

/// The folder that a Debian package is unpacked in, if it is. Says so, in one line, where it is
/// not.
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

/// Whether this process may do everything.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Whether a mail server can become its own users here. Says so, in one line, where it cannot.
pub(crate) fn root(server: &str) -> bool {
    let root = is_root();
    if !root {
        crate::say(&format!(
            "SKIPPED: {server} cannot be run here (needs root)"
        ));
    }
    root
}
