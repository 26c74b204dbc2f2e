//! Exim as a neighbour of the relay, on either side.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;

use crate::Process;
use crate::home::Home;
use crate::mail_server::MailServer;
use crate::namespace::{self, User};
use crate::packages::{root, unpacked};
use crate::wait::free_port;

/// A running Exim for one test: it accepts mail on a loopback port and sends all of it, bounces
/// too, to one next hop. It uses TLS if the server offers it, and offers it itself.
#[derive(Debug)]
pub struct Exim(MailServer);

/// User that is compiled into Debian's Exim.
const USER: User = User {
    name: "Debian-exim",
    id: 64_990,
};

/// Main options: no look-ups, no mailboxes, no pauses. Further ones come in front.
const MAIN: &str = "
primary_hostname = exim.example
keep_environment =
disable_ipv6
deliver_drop_privilege
local_interfaces = 127.0.0.1
host_lookup =
dkim_verify_signers =
acl_smtp_rcpt = recipient
acl_smtp_data = accept
dsn_advertise_hosts = *
tls_advertise_hosts = *
recipients_max = 0
message_size_limit = 100M
begin acl
recipient:
.ifdef REFUSED
  deny
    local_parts = REFUSED
    message = 5.1.1 nobody of that name
.endif
  accept
";

/// Router that sends everything to one next hop.
const ROUTER: &str = "
begin routers
all:
  driver = manualroute
  self = send
  transport = smtp
";

/// Lines for the sections of a configuration. They find the files in its home, `{home}`.
#[derive(Debug, Clone, Default)]
pub struct EximLines {
    /// Lines for the main section.
    pub main: String,
    /// Lines for the routers.
    pub routers: String,
    /// Lines for the transports.
    pub transports: String,
    /// Lines for the authenticators.
    pub authenticators: String,
}

impl Exim {
    /// Starts one that sends everything to this next hop. If Exim is not unpacked or cannot run
    /// here, reports that in one line and returns `None`.
    pub fn start(next_hop: SocketAddr) -> Option<Self> {
        Self::with(next_hop, "", "")
    }

    /// Starts one with further main options, and further options of its SMTP transport. The main
    /// option `REFUSED` lists local parts that it refuses.
    pub fn with(next_hop: SocketAddr, main: &str, transport: &str) -> Option<Self> {
        Self::started(|home, package| configuration(home, package, next_hop, main, transport))
    }

    /// Starts one that sends as these lines say. It knows hosts by the file `hosts` among the files,
    /// and by nothing else. If Exim is not unpacked or cannot run here, reports that in one line and
    /// returns `None`.
    pub fn set_up(lines: &EximLines, files: &[(&str, String)]) -> Option<Self> {
        Self::started(|home, package| {
            for (name, text) in files {
                home.write(name, text);
            }
            let text = format!(
                "{}{}\n{MAIN}begin routers\n{}begin transports\n{}begin authenticators\n{}\
                 begin retry\n* * F,1h,1s\n",
                common(home, package),
                lines.main,
                lines.routers,
                lines.transports,
                lines.authenticators,
            );
            text.replace("{home}", &home.path().display().to_string())
        })
    }

    fn started(configuration: impl FnOnce(&Home, &Path) -> String) -> Option<Self> {
        let package = unpacked("exim4-daemon-light")?;
        if !root("Exim") || !namespace::possible("Exim") {
            return None;
        }
        let home = Home::make();
        let path = home.path();
        home.write("exim.conf", &configuration(&home, &package));
        let address = free_port();
        // It changes to its own user before it starts, so that it needs no other; its log goes
        // where a process's log is expected.
        let setup = format!(
            "mkdir spool\n\
             touch mainlog\n\
             [ ! -e hosts ] || mount --bind hosts /etc/hosts\n\
             chown {user}:{user} spool key.pem mainlog .\n\
             tail --pid=$$ --follow=name --lines=+1 mainlog >&2 2>/dev/null &\n\
             exec setpriv --reuid={user} --regid={user} --clear-groups \
             {exim} -C {path}/exim.conf -bdf -q1s -oX {host}.{port}",
            user = USER.id,
            exim = package.join("usr/sbin/exim4").display(),
            path = path.display(),
            host = address.ip(),
            port = address.port(),
        );
        let process = Process::start("exim", &mut namespace::command(path, &[USER], &setup));
        process.logged("daemon started");
        Some(Self(MailServer::new(process, address, home)))
    }

    /// Waits until it has no work left for any message that it accepted.
    pub fn drained(&self) {
        self.0.emptied("spool/input");
    }
}

impl Deref for Exim {
    type Target = MailServer;

    fn deref(&self) -> &MailServer {
        &self.0
    }
}

fn configuration(
    home: &Home,
    package: &Path,
    next_hop: SocketAddr,
    main: &str,
    transport: &str,
) -> String {
    format!(
        "{common}{main}\n{MAIN}{ROUTER}  \
         route_list = * {host}::{port} byname\n\
         begin transports\nsmtp:\n  driver = smtp\n  tls_verify_hosts =\n  \
         tls_try_verify_hosts =\n{transport}\n\
         begin retry\n* * F,1h,1s\n",
        common = common(home, package),
        host = next_hop.ip(),
        port = next_hop.port(),
    )
}

/// Returns the main options with the files of this home.
fn common(home: &Home, package: &Path) -> String {
    format!(
        "exim_path = {exim}\nspool_directory = {home}/spool\nlog_file_path = {home}/%slog\n\
         write_rejectlog = false\npid_file_path = {home}/pid\n\
         tls_certificate = {certificate}\ntls_privatekey = {key}\n",
        exim = package.join("usr/sbin/exim4").display(),
        home = home.path().display(),
        certificate = home.certificate.certificate.display(),
        key = home.certificate.key.display(),
    )
}
