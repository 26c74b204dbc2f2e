//! A guarded client connects to permitted addresses alone, in the name of the URL's host.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::net::Ipv4Addr;

use bytes::Bytes;
use gatepost_certificates::trusted_roots;
use gatepost_dns::{NameServer, Resolver, ResolverSettings};
use gatepost_guard::Guard;
use gatepost_http_client::{HttpClient, HttpError};
use http::{Request, StatusCode};
use test_support::{Certificate, DnsServer, ListServer, Zone};

/// HTTPS server for `mx.desk.example`, and a name server that leads to it.
struct World {
    server: ListServer,
    _dns: DnsServer,
    client: HttpClient,
}

impl World {
    fn new(allowed: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::make(folder.path());
        let server = ListServer::start(&certificate);
        server.publish_text("text", None);
        let mut zone = Zone::new();
        for name in ["mx.desk.example", "other.desk.example"] {
            // Nobody listens at the first address.
            zone.a(name, Ipv4Addr::new(127, 0, 0, 9))
                .a(name, Ipv4Addr::LOCALHOST);
        }
        let dns = DnsServer::start(zone);
        let resolver = Resolver::new(&ResolverSettings {
            servers: vec![NameServer(dns.address())],
            ..ResolverSettings::default()
        });
        let guard = Guard::new(resolver.unwrap(), [allowed.parse().unwrap()]);
        let roots = trusted_roots([certificate.certificate.as_path()]).unwrap();
        Self {
            server,
            _dns: dns,
            client: HttpClient::guarded(roots, guard).unwrap(),
        }
    }

    async fn get(&self, host: &str) -> Result<StatusCode, HttpError> {
        let url = self.server.url("/").replace("localhost", host);
        let request = Request::get(url).body(Bytes::new()).unwrap();
        Ok(self.client.send(request).await?.status())
    }
}

#[tokio::test]
async fn the_host_of_the_url_is_proved_at_a_permitted_address() {
    let world = World::new("127.0.0.0/8");
    assert_eq!(world.get("mx.desk.example").await.unwrap(), StatusCode::OK);
    let other = world.get("other.desk.example").await.unwrap_err();
    assert!(matches!(other, HttpError::Tls { .. }), "{other}");
    assert_eq!(world.server.answered().len(), 1);
}

#[tokio::test]
async fn no_spelling_of_a_refused_address_is_connected_to() {
    let world = World::new("127.0.0.9/32");
    for host in [
        "mx.desk.example",
        "localhost",
        "127.0.0.1",
        "127.1",
        "[::1]",
        "0x7f.1",
    ] {
        let refused = world.get(host).await.unwrap_err();
        assert!(
            matches!(refused, HttpError::Connect { .. }),
            "{host}: {refused}"
        );
    }
    assert!(world.server.answered().is_empty());
}
