//! Programs that check SPF, DKIM and DMARC for Postfix: policyd-spf as a policy service, opendkim
//! and opendmarc as filters, in this order, since opendmarc judges by what the others have written
//! into the message.
//!
//! All look up names at one name server. Two of them take it only from the system's resolv.conf, so
//! each gets a resolv.conf of its own ([`command`]).

use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::home::Home;
use crate::wait::until;
use crate::{Process, debian, namespace};

/// Authserv-id of their Authentication-Results.
const AUTHORITY: &str = "postfix.example";

/// The programs, and their name server.
pub(crate) struct Verifiers {
    resolver: IpAddr,
    policyd_spf: PathBuf,
    opendkim: PathBuf,
    opendmarc: PathBuf,
}

/// opendkim's settings. It caches look-ups, and verifies mail from 127.0.0.1 too, by default a host
/// of ours. It gets no configuration of its resolver (libunbound): it rereads that for each
/// message, which kills it when two come at a time.
const OPENDKIM: &str = "
Mode v
InternalHosts 192.0.2.1
QueryCache yes
";

/// opendmarc's settings. It takes SPF from policyd-spf. By default it ignores mail from 127.0.0.1.
const OPENDMARC: &str = "
TrustedAuthservIDs postfix.example
PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat
";

/// Settings of both filters.
const FILTER: &str = "
AuthservID postfix.example
Background no
Syslog no
UMask 0000
";

/// policyd-spf's settings: nothing is refused, both identities are checked, and no client is
/// exempt, as 127.0.0.1 is by default. It writes no log.
const POLICYD_SPF: &str = "
debugLevel = 0
HELO_reject = False
Mail_From_reject = False
skip_addresses = 192.0.2.1
Header_Type = AR
";

impl Verifiers {
    /// Finds the programs. If one of them is not installed, or cannot run in a private view of the
    /// system, reports that in one line and returns `None`.
    pub(crate) fn find(resolver: IpAddr) -> Option<Self> {
        let found = Self {
            resolver,
            policyd_spf: debian("postfix-policyd-spf-python", "policyd-spf")?,
            opendkim: debian("opendkim", "opendkim")?,
            opendmarc: debian("opendmarc", "opendmarc")?,
        };
        namespace::possible("opendmarc").then_some(found)
    }

    /// Returns the lines for Postfix's `main.cf`. The policy service may stay for as long as the
    /// process that asks it.
    pub(crate) fn main(&self, home: &Path) -> String {
        let home = home.display();
        format!(
            "smtpd_recipient_restrictions = check_policy_service unix:private/policyd-spf\n\
             policyd-spf_time_limit = 3600\n\
             smtpd_milters = unix:{home}/opendkim.sock, unix:{home}/opendmarc.sock\n\
             milter_default_action = tempfail\n"
        )
    }

    /// Returns the lines for Postfix's `master.cf`.
    pub(crate) fn service(&self, home: &Path) -> String {
        format!(
            "policyd-spf unix - n n - 0 spawn user=nobody argv={} {}\n",
            self.policyd_spf.display(),
            home.join("policyd-spf.conf").display()
        )
    }

    /// Starts the programs that run beside Postfix; they listen when this returns.
    pub(crate) fn start(&self, home: &Home) -> Vec<Process> {
        home.write("resolv.conf", &format!("nameserver {}\n", self.resolver));
        home.write("nobody", "192.0.2.1\n");
        let path = home.path().display();
        home.write(
            "policyd-spf.conf",
            &format!("{POLICYD_SPF}Authserv_Id = {AUTHORITY}\n"),
        );
        let opendkim = format!(
            "{OPENDKIM}{FILTER}Socket local:{path}/opendkim.sock\n\
             Nameservers {}\n",
            self.resolver
        );
        let opendmarc = format!(
            "{OPENDMARC}{FILTER}Socket local:{path}/opendmarc.sock\nIgnoreHosts {path}/nobody\n"
        );
        vec![
            filter(home, &self.opendkim, "-x", "opendkim", &opendkim),
            filter(home, &self.opendmarc, "-c", "opendmarc", &opendmarc),
        ]
    }
}

/// Returns a command that runs the shell's lines, whose last must `exec` the program, with the
/// resolv.conf of this directory, and its hosts(5) if there is one.
pub(crate) fn command(directory: &Path, run: &str) -> Command {
    let setup = format!(
        "mount --bind resolv.conf /etc/resolv.conf\n\
         [ ! -e hosts ] || mount --bind hosts /etc/hosts\n{run}"
    );
    namespace::command(directory, &[], &setup)
}

/// Starts a filter with its configuration, which `option` names, and waits until it listens.
fn filter(home: &Home, program: &Path, option: &str, name: &str, configuration: &str) -> Process {
    let path = home.path();
    let file = format!("{name}.conf");
    home.write(&file, configuration);
    let run = format!(
        "exec {} {option} {}",
        program.display(),
        path.join(file).display()
    );
    let process = Process::start(name, &mut command(path, &run));
    let socket = path.join(format!("{name}.sock"));
    let listens = || UnixStream::connect(&socket).is_ok().then_some(());
    until(
        || format!("{name} does not listen: {}", process.log()),
        listens,
    );
    process
}
