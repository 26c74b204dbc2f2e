//! Domains that demand TLS by a policy (RFC 8461).

mod enforced;
mod mismatch;
mod testing;
mod unverified;

use tempfile::TempDir;
use test_support::{Certificate, DnsServer, ListServer, Published, RelayBuilder, Sink};

use crate::{relay, server_certified, zone};

/// Domain `b.example` with one server, `mx2.b.example`, and a policy.
struct Domain {
    dns: DnsServer,
    server: Sink,
    policies: ListServer,
    folder: TempDir,
}

/// TLS of a server as it is offered usually.
const STARTTLS: &str = "[tls]\nmode = 'starttls'\n";

impl Domain {
    /// Starts its server with a script and a certificate for that name, and publishes a policy in
    /// this mode that allows this server.
    fn start(script: &str, certified: &str, mode: &str, allowed: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = [certified, "mta-sts.b.example"];
        let certificate = Certificate::make_for(folder.path(), &names);
        let server = server_certified(script, &certificate);
        let policies = ListServer::start(&certificate);
        policies.publish(Published::Typed {
            text: format!("version: STSv1\r\nmode: {mode}\r\nmx: {allowed}\r\nmax_age: 86400\r\n"),
            content_type: "text/plain".to_owned(),
        });
        let mut zone = zone(&[(10, 2)]);
        zone.txt("_mta-sts.b.example", "v=STSv1; id=20260101T000000;");
        zone.a("mta-sts.b.example", [127, 0, 0, 1].into());
        Self {
            dns: DnsServer::start(zone),
            server,
            policies,
            folder,
        }
    }

    /// Returns the relay, which trusts the certificate.
    fn relay(&self) -> RelayBuilder {
        let port = self.server.address().port();
        let policies = format!("port = {port}\nmta-sts-port = {}", self.policies.port());
        let root = self.folder.path().join("certificate.pem");
        relay(&self.dns, port)
            .replace(&format!("port = {port}"), &policies)
            .with(&format!("ca-file = {root:?}"))
    }

    /// Asserts that the policy was fetched.
    fn assert_fetched(&self) {
        let url = format!(
            "mta-sts.b.example:{}/.well-known/mta-sts.txt",
            self.policies.port()
        );
        assert_eq!(self.policies.asked(), [url]);
    }
}
