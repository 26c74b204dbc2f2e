//! Servers of a domain, by MX.

use std::net::{IpAddr, SocketAddr};

use gatepost_delivery::open::Opening;
use gatepost_delivery::{FindServers, Finding, NoSession, OpeningTerms};
use gatepost_model::{Protocol, TlsMode};
use gatepost_mx::{Candidate, Mx, SessionTls};

/// Servers of one domain.
pub(super) struct Exchanges {
    pub(super) mx: Mx,
    /// Domain in A-labels, or an address literal.
    pub(super) domain: String,
    /// Addresses from which the relay connects.
    pub(super) egress: Vec<IpAddr>,
    /// Port on which exchanges take mail.
    pub(super) port: u16,
}

impl FindServers for Exchanges {
    fn find<'a>(&'a self, terms: &'a OpeningTerms) -> Finding<'a> {
        Box::pin(async {
            let found = self.mx.route(&self.domain).await;
            let found = found.map_err(|why| NoSession::NoServer(why.reply()))?;
            let opening = |candidate| self.opening(candidate, terms);
            Ok(found.candidates.into_iter().map(opening).collect())
        })
    }
}

impl Exchanges {
    fn opening(&self, candidate: Candidate, terms: &OpeningTerms) -> Opening {
        let addresses = candidate.addresses.into_iter();
        Opening {
            host: candidate.host,
            port: self.port,
            addresses: addresses
                .map(|address| SocketAddr::new(address, self.port))
                .collect(),
            protocol: Protocol::Smtp,
            mode: match candidate.tls {
                SessionTls::Opportunistic => TlsMode::Opportunistic,
                SessionTls::Verified { .. } => TlsMode::Required,
            },
            tls: terms.tls.clone(),
            ehlo_name: terms.ehlo_name.clone(),
            egress: self.egress.clone(),
            login: None,
            timeouts: terms.timeouts,
            transcript: None,
        }
    }
}
