//! Files of instructions. One that holds instructions is replaced; any other file is left.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use super::pasted;

/// Words in the first line of all instructions.
const MARK: &str = ": instructions for ";

/// Most octets of a file that are looked at.
const LOOKED_AT: u64 = 4096;

/// Checks that instructions can be written to a file.
///
/// # Errors
/// Its folder does not exist, or something else than instructions is there.
pub(super) fn check(file: &Path) -> miette::Result<()> {
    let folder = file.parent().filter(|of| !of.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|of| !of.is_dir()) {
        return Err(miette::miette!(
            help = format!("make it: `mkdir -p {}`", pasted::word(folder)),
            "cannot write {}: there is no folder {}",
            file.display(),
            folder.display()
        ));
    }
    match holds_instructions(file) {
        Ok(true) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(false) => Err(miette::miette!(
            help = "name another file, or remove this one: only instructions are replaced",
            "cannot write {}: it is there already, and holds no instructions",
            file.display()
        )),
        Err(error) => Err(miette::miette!("cannot read {}: {error}", file.display())),
    }
}

/// Writes instructions to a file, in place of former ones.
///
/// # Errors
/// It cannot be written, or something else is there.
pub(super) fn write(file: &Path, text: &str) -> miette::Result<()> {
    check(file)?;
    // A new file beside it, so that one that cannot be written leaves the former whole.
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    let beside = Path::new(&beside);
    let written = File::create(beside)
        .and_then(|mut new| new.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(beside, file));
    if written.is_err() {
        let _ = fs::remove_file(beside);
    }
    written.map_err(|error| miette::miette!("cannot write {}: {error}", file.display()))
}

fn holds_instructions(file: &Path) -> io::Result<bool> {
    let is_file = fs::metadata(file)?.is_file();
    if !is_file {
        return Ok(false);
    }
    let mut beginning = Vec::new();
    File::open(file)?
        .take(LOOKED_AT)
        .read_to_end(&mut beginning)?;
    let beginning = String::from_utf8_lossy(&beginning);
    Ok(beginning
        .lines()
        .next()
        .is_some_and(|line| line.contains(MARK)))
}
