//! A program that sees a system of its own: users that are not in the real one, and folders that
//! hold nothing yet. So a server that was unpacked and never set up finds what its package would
//! have made, and two of them do not meet (mount_namespaces(7)).

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::say;

/// A user and a group of the same name.
pub(crate) struct User {
    pub(crate) name: &'static str,
    pub(crate) id: u32,
}

/// Whether that is possible here. Says so, in one line, where it is not.
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

/// A command that runs the shell's lines in `setup`, whose last is to `exec` the program. What
/// they mount is seen by nobody else. The users' files are made in `directory`.
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

/// Makes a file like the system's but for these users.
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
