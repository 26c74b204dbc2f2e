//! OpenSMTPD as a neighbour of the relay, on either side.

use std::net::SocketAddr;

use crate::apart::{self, User};
use crate::home::Home;
use crate::packages::{root, unpacked};
use crate::wait::{free_port, listening, until};
use crate::{PATIENCE, Process};

/// A running OpenSMTPD that is nobody's but the test's: it takes mail on a loopback port and hands
/// all of it, bounces too, to one next hop. It uses TLS with whoever offers it.
#[derive(Debug)]
pub struct OpenSmtpd {
    process: Process,
    address: SocketAddr,
    // Dropped after the process.
    home: Home,
}

/// Those that Debian's OpenSMTPD has built in.
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
    /// One that hands everything to this next hop, unless OpenSMTPD is not unpacked or cannot run
    /// here; then it says so, in one line.
    pub fn start(next_hop: SocketAddr) -> Option<Self> {
        Self::listening(next_hop, "")
    }

    /// The same, and it offers STARTTLS. Every handshake fails with the OpenSMTPD of Debian 12,
    /// which cannot use its private key with OpenSSL 3.
    pub fn with_broken_tls(next_hop: SocketAddr) -> Option<Self> {
        Self::listening(next_hop, "tls pki own")
    }

    fn listening(next_hop: SocketAddr, how: &str) -> Option<Self> {
        let package = unpacked("opensmtpd")?;
        if !root("OpenSMTPD") || !apart::possible("OpenSMTPD") {
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
             match from any for any action hand-on\n",
            certificate = home.certificate.certificate.display(),
            key = home.certificate.key.display(),
            host = address.ip(),
            port = address.port(),
        );
        home.write("smtpd.conf", &configuration);
        // The folders that it has built in: its own are empty, the queue is in our directory.
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
        let process = Process::start("opensmtpd", &mut apart::command(path, &USERS, &setup));
        listening(address);
        Some(Self {
            process,
            address,
            home,
        })
    }

    /// Where its SMTP server is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has nothing left to do for any message that it took.
    pub fn drained(&self) {
        let queued = || format!("queued after {PATIENCE:?}:\n{}", self.process.log());
        until(queued, || {
            (self.home.files("queue/queue") == 0).then_some(())
        });
    }

    /// Waits until it has logged these words; gives the first line with them.
    pub fn logged(&self, words: &str) -> String {
        self.process.logged(words)
    }
}

impl Drop for OpenSmtpd {
    /// Ends its main process, which takes all others with it.
    fn drop(&mut self) {
        self.process.signal("TERM");
        self.process.wait();
    }
}
