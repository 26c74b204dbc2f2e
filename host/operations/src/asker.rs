//! Who asks for an operation, and from where.

use std::path::Path;

use gatepost_directory::ApiToken;
use gatepost_policy_set::history::ActivatedBy;

/// File in which the system has its users (passwd(5)).
const USERS: &str = "/etc/passwd";

/// Asker of an operation, and the place that it is asked from, as the audit log has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Name of a user of the system, or `uid` and a number where it has none; of a token its name
    /// and its id.
    pub(crate) name: String,
    /// Place: the control socket, the store itself, or the HTTP API.
    pub(crate) origin: &'static str,
}

impl Asker {
    /// Returns the user of this process, who opens the store itself.
    pub fn of_this_process() -> Self {
        Self {
            name: user_name(rustix::process::getuid().as_raw()),
            origin: "store",
        }
    }

    /// Returns the program that presents a token of the HTTP API.
    pub fn of_token(token: &ApiToken) -> Self {
        Self {
            name: format!("{} ({})", token.name, token.id),
            origin: "api",
        }
    }

    /// Returns the asker as one who activates a module from this source.
    pub(crate) fn activating(&self, source: &str) -> ActivatedBy {
        ActivatedBy::new(&self.name, self.origin, source)
    }

    /// Returns the user with this number, at the other end of the control socket. Reads a file.
    pub(crate) fn at_the_socket(uid: u32) -> Self {
        Self {
            name: user_name(uid),
            origin: "socket",
        }
    }
}

/// Returns the name of a user. Users of a directory service have none here: asking for them takes a
/// library of the C runtime, and the socket is open to the relay's user and root alone.
fn user_name(uid: u32) -> String {
    let users = gatepost_files::read_text(Path::new(USERS), gatepost_files::SETTINGS);
    let users = users.unwrap_or_default();
    let named = users.lines().find_map(|line| {
        // `root:x:0:0:root:/root:/bin/bash`
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    });
    named.map_or_else(|| format!("uid {uid}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_go_by_their_names() {
        assert_eq!(user_name(0), "root");
        assert_eq!(user_name(4_000_000_000), "uid 4000000000");
    }
}
