//! Look-ups by MX, with a name server of the tests' own.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod answers;
mod bounds;
mod own_relay;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use gatepost_dns::{NameServer, Resolver, ResolverSettings};
use gatepost_guard::Guard;
use gatepost_mx::{Mx, MxRoute, NoRoute, Own, Settings};
use test_support::{DnsServer, Zone};

/// Seed of the random order, in every test.
const SEED: u64 = 5321;

/// Name server, and look-ups that ask it.
struct World {
    dns: DnsServer,
    mx: Mx,
}

impl World {
    /// Starts one in which the relay is nobody.
    fn new(zone: Zone) -> Self {
        Self::with(zone, Own::default(), &[])
    }

    /// Starts one for tests that ask many questions: each has ten seconds, two tries together.
    fn patient(zone: Zone) -> Self {
        let settings = ResolverSettings {
            timeout: Duration::from_secs(5),
            ..ResolverSettings::default()
        };
        Self::start(zone, Own::default(), &[], settings)
    }

    /// Starts one with a relay, and with networks that the operator allows.
    fn with(zone: Zone, own: Own, allowed: &[&str]) -> Self {
        let quick = ResolverSettings {
            timeout: Duration::from_millis(300),
            attempts: 1,
            ..ResolverSettings::default()
        };
        Self::start(zone, own, allowed, quick)
    }

    fn start(zone: Zone, own: Own, allowed: &[&str], settings: ResolverSettings) -> Self {
        let dns = DnsServer::start(zone);
        let resolver = Resolver::new(&ResolverSettings {
            servers: vec![NameServer(dns.address())],
            ..settings
        });
        let allowed = allowed.iter().map(|network| network.parse().unwrap());
        let guard = Guard::new(resolver.unwrap(), allowed);
        let mx = Mx::new(
            guard,
            Settings {
                seed: Some(SEED),
                ..Settings::new(own)
            },
        );
        Self { dns, mx }
    }

    async fn route(&self, domain: &str) -> Result<MxRoute, NoRoute> {
        self.mx.route(domain).await
    }

    /// Returns the hosts of a route.
    async fn hosts(&self, domain: &str) -> Vec<String> {
        let route = self.route(domain).await.unwrap();
        route
            .candidates
            .into_iter()
            .map(|candidate| candidate.host)
            .collect()
    }

    /// Returns code and enhanced code of the reply about a domain without a route.
    async fn refusal(&self, domain: &str) -> String {
        let reply = self.route(domain).await.unwrap_err().reply();
        let enhanced = reply.enhanced().unwrap();
        format!("{} {enhanced}", reply.code())
    }
}

/// Returns a public address.
fn public(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(20, 0, 0, last)
}

fn addresses(route: &MxRoute) -> Vec<IpAddr> {
    route
        .candidates
        .iter()
        .flat_map(|candidate| candidate.addresses.clone())
        .collect()
}
