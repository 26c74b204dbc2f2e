//! Dovecot as next hop over LMTP: it delivers to mailboxes.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::home::Home;
use crate::mail_server::MailServer;
use crate::packages::root;
use crate::wait::{free_port, until};
use crate::{Process, debian};

/// A running Dovecot for one test, with a mailbox for each of its users and nothing but LMTP.
#[derive(Debug)]
pub struct Dovecot(MailServer);

impl Dovecot {
    /// Starts one with these users, given by their addresses. If Dovecot is not installed or cannot
    /// run here, reports that in one line and returns `None`.
    pub fn start(users: &[&str]) -> Option<Self> {
        let dovecot = debian("dovecot-lmtpd", "dovecot")?;
        if !root("Dovecot") {
            return None;
        }
        let home = Home::make();
        let address = free_port();
        let list: String = users.iter().map(|user| format!("{user}::::::\n")).collect();
        home.write("users", &list);
        home.write("dovecot.conf", &configuration(home.path(), address));
        let mail = home.path().join("mail");
        let made = fs::create_dir(&mail)
            .and_then(|()| fs::set_permissions(&mail, Permissions::from_mode(0o777)));
        made.unwrap_or_else(|error| panic!("{}: {error}", mail.display()));
        let mut command = Command::new(dovecot);
        command.arg("-F").arg("-c");
        command.arg(home.path().join("dovecot.conf"));
        let process = Process::start("dovecot", &mut command);
        process.logged("starting up");
        Some(Self(MailServer::new(process, address, home)))
    }

    /// Waits until a user's mailbox has this many messages; returns them in no order.
    pub fn mailbox(&self, user: &str, count: usize) -> Vec<Vec<u8>> {
        let folder = self.home().join("mail").join(user).join("new");
        // A message gets into this folder by a rename, whole (maildir(5)).
        let whole = || {
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            let messages: Vec<_> = entries.filter_map(|e| fs::read(e.path()).ok()).collect();
            (messages.len() >= count).then_some(messages)
        };
        let missing = || format!("not {count} messages for {user}:\n{}", self.log());
        let messages = until(missing, whole);
        assert_eq!(messages.len(), count, "messages for {user}");
        messages
    }
}

impl Deref for Dovecot {
    type Target = MailServer;

    fn deref(&self) -> &MailServer {
        &self.0
    }
}

fn configuration(home: &Path, address: SocketAddr) -> String {
    format!(
        "base_dir = {home}/run
state_dir = {home}/state
log_path = /dev/stderr
protocols = lmtp
hostname = dovecot.example
ssl = yes
ssl_cert = <{home}/certificate.pem
ssl_key = <{home}/key.pem
mail_location = maildir:{home}/mail/%u
# Line ends as they came.
mail_save_crlf = yes
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 0
first_valid_gid = 0
auth_username_format = %Lu
passdb {{
  driver = passwd-file
  args = {home}/users
}}
userdb {{
  driver = passwd-file
  args = {home}/users
}}
service lmtp {{
  user = root
  inet_listener lmtp {{
    address = {host}
    port = {port}
  }}
}}
",
        home = home.display(),
        host = address.ip(),
        port = address.port(),
    )
}
