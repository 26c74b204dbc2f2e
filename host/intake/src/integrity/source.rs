//! The server that returned a message of ours.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

use gatepost_directory::{ConnectorState, View};
use gatepost_dns::{Dns as _, Resolver};
use gatepost_model::Session;
use gatepost_trace::{AttemptEnd, Kind, Sent, Trace, TraceError};

use tokio::runtime::Handle;

use crate::look_ups::AccountView;

/// Most servers of one message that are looked up by name.
const SERVERS: usize = 8;

/// Client that returned a message, and the accounts that may be behind it.
pub(crate) struct ReturnSource {
    client: Option<IpAddr>,
    user: Option<String>,
    accounts: AccountView,
    resolver: Resolver,
}

impl ReturnSource {
    pub(crate) fn of(session: &Session, accounts: AccountView, resolver: Resolver) -> Self {
        Self {
            client: session.client_ip(),
            user: session.user.clone(),
            accounts,
            resolver,
        }
    }

    pub(crate) fn client(&self) -> Option<IpAddr> {
        self.client
    }

    pub(crate) fn view(&self) -> &View {
        &self.accounts.directory
    }

    /// Returns true if the client can have a message only from us: it is a server that took the
    /// message from us, or one of the customer whose message it is. Any other client may only have
    /// seen the id. Blocks, and asks the DNS.
    pub(crate) fn has_received_it_from_us(
        &self,
        trace: &Trace,
        sent: &Sent,
    ) -> Result<bool, TraceError> {
        if self.is_of_the_customer(&sent.account) {
            return Ok(true);
        }
        let mut servers = BTreeSet::new();
        for event in trace.of(sent.id)? {
            if let Kind::Attempt {
                ending: AttemptEnd::Delivered,
                server: Some(server),
                ..
            } = event.kind
            {
                servers.insert(server);
            }
        }
        Ok(servers.iter().take(SERVERS).any(|server| {
            let is_client = |address| Some(address) == self.client;
            addresses(server).into_iter().any(is_client)
                || self.exchange(server).into_iter().any(is_client)
        }))
    }

    /// Returns the addresses of a server that only the relay's resolver may know, as an exchange.
    fn exchange(&self, server: &str) -> Vec<IpAddr> {
        let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
        let Ok(runtime) = Handle::try_current() else {
            return Vec::new();
        };
        let (v4, v6) = runtime
            .block_on(async { tokio::join!(self.resolver.a(host), self.resolver.aaaa(host)) });
        // A name that cannot be resolved now proves nothing.
        let v4 = v4.iter().flat_map(|found| found.records());
        let v6 = v6.iter().flat_map(|found| found.records());
        let v4 = v4.map(|address| IpAddr::from(*address));
        v4.chain(v6.map(|address| IpAddr::from(*address))).collect()
    }

    /// Returns true if the client has authenticated with a credential of the account's, or connects
    /// from a network that is known to forward its mail.
    fn is_of_the_customer(&self, account: &str) -> bool {
        let AccountView { config, directory } = &self.accounts;
        let credential = self
            .user
            .as_deref()
            .and_then(|user| directory.credential(user));
        let logged_in = credential.is_some_and(|known| {
            directory.holds(known) && known.credential.account.to_string() == account
        });
        let of_config = config.account(account).into_iter();
        let of_config = of_config
            .flat_map(|of| &of.forwarders)
            .flat_map(|of| &of.networks);
        let connectors = account
            .parse()
            .map_or(&[][..], |id| directory.connectors(id));
        let vouched = connectors
            .iter()
            .filter(|of| of.state == ConnectorState::Verified);
        let of_directory = vouched.flat_map(|of| &of.forwarders.networks);
        let mut networks = of_config.chain(of_directory);
        let from_network =
            (self.client).is_some_and(|client| networks.any(|network| network.contains(&client)));
        logged_in || from_network
    }
}

/// Returns the addresses of a server, which the trace names with its port.
fn addresses(server: &str) -> Vec<IpAddr> {
    let Some((host, port)) = server.rsplit_once(':') else {
        return Vec::new();
    };
    let port: u16 = port.parse().unwrap_or_default();
    let found = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        // A name that cannot be resolved now proves nothing.
        Err(_) => (host, port)
            .to_socket_addrs()
            .map_or_else(|_| Vec::new(), Vec::from_iter),
    };
    found
        .iter()
        .map(|address| address.ip().to_canonical())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_a_servers_name_or_address() {
        let of = |text: &str| addresses(text);
        assert_eq!(of("192.0.2.1:25"), ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(
            of("2001:db8::1:587"),
            ["2001:db8::1".parse::<IpAddr>().unwrap()]
        );
        assert!(of("localhost:25").iter().all(IpAddr::is_loopback));
        assert_eq!(of("no port"), Vec::<IpAddr>::new());
    }
}
