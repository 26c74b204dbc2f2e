//! The ways out that are compared, and how each relay is told of them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Result;
use tempfile::TempDir;
use test_support::{Certificate, DnsServer, Zone, say};

use super::peer::{Manner, Peer};
use super::relays::Outbound;
use super::waiting::{DEAD, domain};

/// Address of the name server: one that nobody uses, at port 53, since resolv.conf cannot name
/// another port.
const RESOLVER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 53, 53, 54));

/// Address at which no server listens.
const NOBODY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// Name server and certificates.
#[derive(Debug)]
pub struct NameService {
    dns: DnsServer,
    /// True if Postfix can ask the name server, which is at port 53 then.
    at_port_53: bool,
    /// Recipients' domains.
    pub domains: u64,
    pub certificate: Certificate,
    _folder: TempDir,
}

/// Way out.
#[derive(Debug, Clone, Copy)]
pub enum WayOut {
    /// Smart host, with STARTTLS and AUTH PLAIN.
    SmartHost,
    /// Servers of this many domains, by MX.
    Mx(u64),
}

impl fmt::Display for WayOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SmartHost => f.write_str("smart host"),
            Self::Mx(1) => f.write_str("MX, 1 domain"),
            Self::Mx(domains) => write!(f, "MX, {domains} domains"),
        }
    }
}

impl NameService {
    /// Starts a name server that knows so many domains.
    ///
    /// # Errors
    /// There is no room for the certificate.
    pub fn start(domains: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let zone = zone(domains);
        let (dns, at_port_53) = match DnsServer::at(zone.clone(), SocketAddr::new(RESOLVER, 53)) {
            Ok(dns) => (dns, true),
            Err(error) => {
                say(&format!(
                    "SKIPPED: Postfix by MX, since no name server can be at {RESOLVER}, port 53: \
                     {error}"
                ));
                (DnsServer::start(zone), false)
            }
        };
        Ok(Self {
            dns,
            at_port_53,
            domains,
            certificate: Certificate::make(folder.path()),
            _folder: folder,
        })
    }
}

/// Returns the records: each domain has one server of its own name, all at one address.
fn zone(domains: u64) -> Zone {
    let mut zone = Zone::new();
    let mut server = |domain: &str, address| {
        let host = format!("mx.{domain}");
        zone.mx(domain, 10, &host).a(&host, address);
        // The name exists, so that the server need not look for longer ones.
        zone.exists(&format!("_mta-sts.{domain}"));
    };
    (0..domains).for_each(|number| server(&domain(number), Ipv4Addr::LOCALHOST));
    server(DEAD, NOBODY);
    zone
}

impl WayOut {
    /// Returns the number of recipients' domains.
    pub fn domains(self) -> u64 {
        match self {
            Self::SmartHost => 1,
            Self::Mx(domains) => domains,
        }
    }

    /// Starts the server at its end.
    ///
    /// # Errors
    /// It cannot listen.
    pub fn peer(self, network: &NameService) -> Result<Peer> {
        Peer::start(&Manner {
            certificate: matches!(self, Self::SmartHost).then(|| network.certificate.clone()),
            ..Manner::default()
        })
    }

    /// Makes a Gatepost for it.
    ///
    /// # Errors
    /// There is no room for its folder.
    pub fn gatepost(self, binary: &Path, network: &NameService, peer: &Peer) -> Result<Outbound> {
        let port = peer.address().port();
        Outbound::gatepost(
            binary,
            &match self {
                Self::SmartHost => format!(
                    "[routes]\nsubmission = \"connection smart\"\n\
                     [connection.smart]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"required\"\n\
                     ca = {{ file = {:?} }}\nuser = \"gatepost\"\npassword = \"secret\"\n",
                    network.certificate.certificate
                ),
                Self::Mx(_) => format!(
                    "[routes]\nsubmission = \"mx\"\n[mx]\nport = {port}\n\
                     [dns]\nservers = [\"{}\"]\n\
                     [destinations]\nallowed-networks = [\"127.0.0.0/8\"]\n",
                    network.dns.address()
                ),
            },
        )
    }

    /// Starts a Postfix for it, if it is installed and can run here.
    pub fn postfix(self, network: &NameService, peer: &Peer) -> Option<Outbound> {
        let port = peer.address().port();
        match self {
            Self::SmartHost => Outbound::postfix(
                None,
                &format!(
                    "relayhost = [127.0.0.1]:{port}\nsmtp_tls_security_level = encrypt\n\
                     smtp_tls_CAfile = {}\nsmtp_tls_connection_reuse = yes\n\
                     smtp_tls_session_cache_database = btree:$data_directory/sessions\n\
                     smtp_sasl_auth_enable = yes\nsmtp_sasl_security_options =\n\
                     smtp_sasl_password_maps = static:gatepost:secret\n\
                     smtp_sasl_mechanism_filter = plain\n",
                    network.certificate.certificate.display()
                ),
            ),
            Self::Mx(_) if !network.at_port_53 => None,
            Self::Mx(_) => Outbound::postfix(
                Some(RESOLVER),
                &format!("relayhost =\nsmtp_tcp_port = {port}\n"),
            ),
        }
    }
}

/// Makes a Gatepost that sends everything to one server.
///
/// # Errors
/// There is no room for its folder.
pub fn to_one(binary: &Path, to: SocketAddr) -> Result<Outbound> {
    Outbound::gatepost(
        binary,
        &format!(
            "[delivery]\ndefault-route = {{ host = \"127.0.0.1\", port = {}, tls = \"none\" }}\n",
            to.port()
        ),
    )
}

/// Starts a Postfix that sends everything to one server, if it is installed and can run here.
pub fn postfix_to_one(to: SocketAddr) -> Option<Outbound> {
    Outbound::postfix(None, &format!("relayhost = [127.0.0.1]:{}\n", to.port()))
}
