//! Runs a program in a private view of the system: with users that the real one does not have, and
//! empty folders. So a server that was unpacked but never set up finds what its package would have
//! created, and two of them do not collide (mount_namespaces(7)).

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::say;

/// A user and a group of the same name.
pub(crate) struct User {
    pub(crate) name: &'static str,
    pub(crate) id: u32,
}

/// Returns true if that is possible here. Otherwise reports, in one line, that the test is skipped.
pub(crate) fn possible(server: &str) -> bool {
    let tried = Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"])
        .stderr(Stdio::null())
        .status();
    let possible = tried.is_ok_and(|status| status.success());
    if !possible {
        say(&format!(
            "SKIPPED: {server} cannot be run here (needs a mount namespace)"
        ));
    }
    possible
}

/// Returns a command that runs the shell's lines in `setup`, whose last must `exec` the program.
/// Their mounts are private. The users' files are made in `directory`.
pub(crate) fn command(directory: &Path, users: &[User], setup: &str) -> Command {
    with_users(directory, "passwd", users, |User { name, id }| {
        format!("{name}:x:{id}:{id}::/nonexistent:/bin/false")
    });
    with_users(directory, "group", users, |User { name, id }| {
        format!("{name}:x:{id}:")
    });
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-ec"]);
    command.arg(format!(
        "cd {directory}\nfor file in passwd group; do mount --bind $file /etc/$file; done\n{setup}",
        directory = directory.display()
    ));
    command
}

/// Writes a copy of the system's file in which these users replace those of the same name.
fn with_users(directory: &Path, file: &str, users: &[User], line: impl Fn(&User) -> String) {
    let text = fs::read_to_string(Path::new("/etc").join(file));
    let text = text.unwrap_or_else(|error| panic!("/etc/{file}: {error}"));
    let others = text.lines().filter(|line| {
        let name = line.split(':').next();
        !users.iter().any(|user| Some(user.name) == name)
    });
    let lines = others.map(str::to_owned).chain(users.iter().map(line));
    let text: String = lines.map(|line| line + "\n").collect();
    let written = fs::write(directory.join(file), text);
    written.unwrap_or_else(|error| panic!("{file}: {error}"));
}
