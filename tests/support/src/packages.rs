//! Programs from Debian's packages.

use std::path::PathBuf;
use std::process::Command;

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
