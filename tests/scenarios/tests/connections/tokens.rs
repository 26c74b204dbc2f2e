//! Log-in by OAuth tokens, which the relay gets from a token server over HTTPS.

mod client_credentials;
mod dovecot;
mod jwt_bearer;
mod long_token;
mod refresh_token;
mod user;

use tempfile::TempDir;
use test_support::{Certificate, HttpsFront, RelayBuilder, TokenServer};

/// A token server with a certificate of its own.
struct Provider {
    server: TokenServer,
    front: HttpsFront,
    certificate: Certificate,
    _home: TempDir,
}

impl Provider {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let certificate = Certificate::make_for(home.path(), &["localhost"]);
        let server = TokenServer::start();
        Self {
            front: HttpsFront::start(&certificate, server.address()),
            server,
            certificate,
            _home: home,
        }
    }

    /// Keys of a connection that gets its tokens here, by this grant.
    fn keys(&self, grant: &str) -> String {
        format!(
            "grant = '{grant}'\ntoken-url = '{}'\nclient-id = 'the relay'\n",
            self.front.url("/token")
        )
    }

    /// The same by client credentials.
    fn by_client_credentials(&self) -> String {
        self.keys("client-credentials") + "client-secret = 'hush-of-the-client'\n"
    }

    /// Has a relay trust this server's certificate.
    fn trusted_by(&self, relay: RelayBuilder) -> RelayBuilder {
        let ca = format!(
            "retry = [\"1s\"]\nca-file = {:?}",
            self.certificate.certificate
        );
        relay.replace("retry = [\"1s\"]", &ca)
    }
}

/// Script of a service where these users log in by a token.
fn service(users: &str) -> String {
    format!(
        "tls = {{ mode = 'starttls' }}\n[auth]\nrequired = true\n\
         mechanisms = ['XOAUTH2', 'OAUTHBEARER']\nusers = [{users}]\n"
    )
}
