//! Dovecot as a submission server: users log in by password or by OAuth token.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::process::Command;

use crate::home::Home;
use crate::mail_server::MailServer;
use crate::packages::root;
use crate::wait::free_port;
use crate::{Process, debian};

/// A running Dovecot for one test, with submission under STARTTLS and nothing else.
#[derive(Debug)]
pub struct DovecotSubmission(MailServer);

impl DovecotSubmission {
    /// Starts one with this user. It asks this URL whether a token is good (RFC 7662), and hands
    /// mail to this relay. If Dovecot is not installed or cannot run here, reports that in one line
    /// and returns `None`.
    pub fn start(
        user: &str,
        password: &str,
        introspection: &str,
        relay: SocketAddr,
    ) -> Option<Self> {
        let dovecot = debian("dovecot-submissiond", "dovecot")?;
        if !Path::new("/usr/lib/dovecot/submission").is_file() {
            crate::say("SKIPPED: Debian's package dovecot-submissiond is not installed");
            return None;
        }
        if !root("Dovecot") {
            return None;
        }
        let home = Home::make();
        let address = free_port();
        home.write("users", &format!("{user}:{{PLAIN}}{password}::::::\n"));
        let oauth2 = format!(
            "introspection_mode = post\nintrospection_url = {introspection}\n\
             username_attribute = username\nactive_attribute = active\nactive_value = true\n"
        );
        home.write("oauth2.conf", &oauth2);
        home.write("dovecot.conf", &configuration(home.path(), address, relay));
        let mut command = Command::new(dovecot);
        command.arg("-F").arg("-c");
        command.arg(home.path().join("dovecot.conf"));
        let process = Process::start("dovecot", &mut command);
        process.logged("starting up");
        Some(Self(MailServer::new(process, address, home)))
    }
}

impl Deref for DovecotSubmission {
    type Target = MailServer;

    fn deref(&self) -> &MailServer {
        &self.0
    }
}

fn configuration(home: &Path, address: SocketAddr, relay: SocketAddr) -> String {
    format!(
        "base_dir = {home}/run
state_dir = {home}/state
log_path = /dev/stderr
protocols = submission
hostname = dovecot.example
ssl = required
ssl_cert = <{home}/certificate.pem
ssl_key = <{home}/key.pem
auth_mechanisms = plain login scram-sha-256 xoauth2 oauthbearer
auth_failure_delay = 0
submission_relay_host = {relay_host}
submission_relay_port = {relay_port}
mail_location = maildir:{home}/mail/%u
first_valid_uid = 0
first_valid_gid = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {home}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login scram-sha-256
  args = {home}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}/mail/%u
}}
service submission-login {{
  inet_listener submission {{
    address = {host}
    port = {port}
  }}
  inet_listener submissions {{
    port = 0
  }}
}}
",
        home = home.display(),
        relay_host = relay.ip(),
        relay_port = relay.port(),
        host = address.ip(),
        port = address.port(),
    )
}
