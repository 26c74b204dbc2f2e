//! MTA-STS with a name server and an HTTPS server of the tests' own.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod announced;
mod durable;
mod kept;
mod servers;
mod unfetched;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatepost_certificates::trusted_roots;
use gatepost_dns::{NameServer, Resolver, ResolverSettings};
use gatepost_guard::Guard;
use gatepost_http_client::HttpClient;
use gatepost_message::Millis;
use gatepost_mx::{
    Candidate, MtaSts, MtaStsSettings, Mx, NoRoute, Own, PoliciesInMemory, PolicyCache, Required,
    SessionTls, Settings,
};
use tempfile::TempDir;
use test_support::{Certificate, DnsServer, ListServer, Published, Zone};

/// Domain of the tests, with the servers `mx1` and `mx2`.
const DOMAIN: &str = "a.example";

/// Network of the policy server, which the operator allows.
const LOOPBACK: &str = "127.0.0.0/8";

/// Domain with a policy server, and look-ups of its servers.
struct World {
    dns: DnsServer,
    server: ListServer,
    /// Time of the look-ups, in milliseconds.
    now: Arc<AtomicU64>,
    cache: Arc<dyn PolicyCache>,
    mta_sts: MtaSts,
    mx: Mx,
    folder: TempDir,
}

impl World {
    /// Starts one with this policy, announced with the id 1.
    fn new(policy: &str) -> Self {
        Self::with(
            policy,
            &["mta-sts.a.example"],
            LOOPBACK,
            Arc::<PoliciesInMemory>::default(),
        )
    }

    /// Starts one with a certificate for these names, this allowed network and this store.
    fn with(policy: &str, names: &[&str], allowed: &str, cache: Arc<dyn PolicyCache>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::make_for(folder.path(), names);
        let server = ListServer::start(&certificate);
        let mut zone = Zone::new();
        zone.mx(DOMAIN, 10, "mx1.a.example")
            .mx(DOMAIN, 20, "mx2.a.example")
            .a("mx1.a.example", Ipv4Addr::new(20, 0, 0, 1))
            .a("mx2.a.example", Ipv4Addr::new(20, 0, 0, 2))
            .a("mta-sts.a.example", Ipv4Addr::LOCALHOST);
        let dns = DnsServer::start(zone);
        let now = Arc::new(AtomicU64::new(1_000_000));
        let store = Arc::clone(&cache);
        let (mta_sts, mx) = look_ups(
            &dns,
            &server,
            &certificate.certificate,
            allowed,
            store,
            &now,
        );
        let world = Self {
            dns,
            server,
            now,
            cache,
            mta_sts,
            mx,
            folder,
        };
        world.announce(Some("1"));
        world.publish(policy);
        world
    }

    /// Starts the look-ups again with what their store has, and without the answers of the DNS.
    fn restart(&mut self) {
        let root = self.folder.path().join("certificate.pem");
        let cache = Arc::clone(&self.cache);
        let now = &self.now;
        (self.mta_sts, self.mx) = look_ups(&self.dns, &self.server, &root, LOOPBACK, cache, now);
    }

    /// Starts them again with the same policies, so that changes of the zone count.
    fn forget_answers(&mut self) {
        self.mta_sts.save().unwrap();
        self.restart();
    }

    /// Changes the record that announces a policy.
    fn announce(&self, id: Option<&str>) {
        let mut zone = self.dns.zone();
        zone.forget("_mta-sts.a.example");
        if let Some(id) = id {
            zone.txt("_mta-sts.a.example", format!("v=STSv1; id={id};"));
        }
    }

    /// Changes the policy.
    fn publish(&self, text: &str) {
        self.server.publish(Published::Typed {
            text: text.to_owned(),
            content_type: "text/plain; charset=utf-8".to_owned(),
        });
    }

    /// Lets no policy be fetched.
    fn publish_none(&self) {
        let status = "500 Internal Server Error".to_owned();
        self.server.publish(Published::Status(status));
    }

    /// Moves the clock.
    fn pass(&self, time: Duration) {
        let time = u64::try_from(time.as_millis()).unwrap();
        self.now.fetch_add(time, Ordering::Relaxed);
    }

    async fn candidates(&self) -> Result<Vec<Candidate>, NoRoute> {
        Ok(self.mx.route(DOMAIN).await?.candidates)
    }

    /// Returns the servers, each with `opportunistic` or the id of the policy that demands TLS.
    async fn servers(&self) -> Vec<(String, String)> {
        let candidates = self.candidates().await.unwrap();
        let described = candidates.into_iter().map(|candidate| match candidate.tls {
            SessionTls::Opportunistic => (candidate.host, "opportunistic".to_owned()),
            SessionTls::Verified {
                name,
                required: Required::MtaSts { domain, id },
            } => {
                assert_eq!(
                    (name.as_str(), domain.as_str()),
                    (candidate.host.as_str(), DOMAIN)
                );
                (candidate.host, id)
            }
            other => panic!("{other:?}"),
        });
        described.collect()
    }

    /// Returns the hosts to which TLS is demanded by the policy with this id.
    async fn enforced(&self, id: &str) -> Vec<String> {
        let servers = self.servers().await.into_iter();
        servers
            .filter(|(_, by)| by == id)
            .map(|(host, _)| host)
            .collect()
    }
}

fn look_ups(
    dns: &DnsServer,
    server: &ListServer,
    root: &Path,
    allowed: &str,
    cache: Arc<dyn PolicyCache>,
    now: &Arc<AtomicU64>,
) -> (MtaSts, Mx) {
    let resolver = Resolver::new(&ResolverSettings {
        servers: vec![NameServer(dns.address())],
        ..ResolverSettings::default()
    });
    let guard = Guard::new(resolver.unwrap(), [allowed.parse().unwrap()]);
    let roots = trusted_roots([root]).unwrap();
    let http = HttpClient::guarded(roots, guard.clone()).unwrap();
    let now = Arc::clone(now);
    let mta_sts = MtaSts::new(MtaStsSettings {
        port: server.port(),
        clock: Arc::new(move || Millis(now.load(Ordering::Relaxed))),
        ..MtaStsSettings::new(http, cache)
    });
    let mta_sts = mta_sts.unwrap();
    let settings = Settings {
        mta_sts: Some(mta_sts.clone()),
        ..Settings::new(Own::default())
    };
    (mta_sts, Mx::new(guard, settings))
}

/// Returns a policy for these hosts that holds for a day.
fn policy(mode: &str, hosts: &[&str]) -> String {
    let hosts: String = hosts.iter().map(|host| format!("mx: {host}\r\n")).collect();
    format!("version: STSv1\r\nmode: {mode}\r\nmax_age: 86400\r\n{hosts}")
}
