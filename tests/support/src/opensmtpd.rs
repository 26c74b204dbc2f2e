//! OpenSMTPD as a neighbour of the relay, on either side.

use std::net::SocketAddr;
use std::ops::Deref;

use crate::Process;
use crate::home::Home;
use crate::mail_server::MailServer;
use crate::namespace::{self, User};
use crate::packages::{root, unpacked};
use crate::wait::{free_port, listening};

/// A running OpenSMTPD for one test: it accepts mail on a loopback port and sends all of it,
/// bounces too, to one next hop. It uses TLS if the server offers it.
#[derive(Debug)]
pub struct OpenSmtpd(MailServer);

/// Users that are compiled into Debian's OpenSMTPD.
const USERS: [User; 2] = [
    User {
        name: "opensmtpd",
        id: 64_991,
    },
    User {
        name: "opensmtpq",
        id: 64_992,
    },
];

impl OpenSmtpd {
    /// Starts one that sends everything to this next hop. If OpenSMTPD is not unpacked or cannot
    /// run here, reports that in one line and returns `None`.
    pub fn start(next_hop: SocketAddr) -> Option<Self> {
        Self::listening(next_hop, "", "")
    }

    /// Starts one that refuses this recipient.
    pub fn refusing(next_hop: SocketAddr, recipient: &str) -> Option<Self> {
        let rule = format!("match from any for any rcpt-to {recipient:?} reject\n");
        Self::listening(next_hop, "", &rule)
    }

    /// Starts one that also offers STARTTLS. Every handshake fails with the OpenSMTPD of Debian 12,
    /// which cannot use its private key with OpenSSL 3.
    pub fn with_broken_tls(next_hop: SocketAddr) -> Option<Self> {
        Self::listening(next_hop, "tls pki own", "")
    }

    fn listening(next_hop: SocketAddr, how: &str, rule: &str) -> Option<Self> {
        let package = unpacked("opensmtpd")?;
        if !root("OpenSMTPD") || !namespace::possible("OpenSMTPD") {
            return None;
        }
        let home = Home::make();
        let path = home.path();
        let address = free_port();
        let configuration = format!(
            "pki own cert \"{certificate}\"\npki own key \"{key}\"\n\
             smtp max-message-size \"100M\"\n\
             listen on {host} port {port} hostname opensmtpd.example {how}\n\
             action hand-on relay host smtp://{next_hop} helo opensmtpd.example\n\
             {rule}match from any for any action hand-on\n",
            certificate = home.certificate.certificate.display(),
            key = home.certificate.key.display(),
            host = address.ip(),
            port = address.port(),
        );
        home.write("smtpd.conf", &configuration);
        // Its compiled-in folders: its own are empty, the queue is in our directory.
        let setup = format!(
            "chmod 600 key.pem smtpd.conf\n\
             mkdir --mode=711 queue\n\
             for folder in /run /var/spool /var/lib; do mount -t tmpfs none $folder; done\n\
             mkdir -p /var/spool/smtpd /var/lib/opensmtpd/empty\n\
             mount --bind queue /var/spool/smtpd\n\
             exec {smtpd} -d -f {path}/smtpd.conf",
            smtpd = package.join("usr/sbin/smtpd").display(),
            path = path.display(),
        );
        let process = Process::start("opensmtpd", &mut namespace::command(path, &USERS, &setup));
        listening(address);
        Some(Self(MailServer::new(process, address, home)))
    }

    /// Waits until it has no work left for any message that it accepted.
    pub fn drained(&self) {
        self.0.emptied("queue/queue");
    }
}

impl Deref for OpenSmtpd {
    type Target = MailServer;

    fn deref(&self) -> &MailServer {
        &self.0
    }
}
