//! Programs from Debian's packages.

use std::path::PathBuf;

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
