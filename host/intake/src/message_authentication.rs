//! Message authentication: SPF, DKIM, DMARC, ARC and iprev, by the DNS.
//!
//! It costs questions to strangers' name servers and time for signatures, so it is done only where
//! somebody asks for it: a policy that imports `authentication`, or `gatepost check --dns`. One
//! [`MessageAuthentication`] serves all sessions of a configuration; its resolver, with its cache,
//! survives reloads that leave `[dns]` unchanged.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use gatepost_authentication::{Arrival, Facts, gather, gather_repaired};
use gatepost_dns::{NoResolver, Resolver, ResolverSettings};
use gatepost_message::Message;
use gatepost_model::Transaction;

use gatepost_config::Config;

/// Gathers authentication facts about messages.
#[derive(Clone)]
pub struct MessageAuthentication {
    resolver: Resolver,
    /// Settings that the resolver was made from.
    dns: ResolverSettings,
    settings: gatepost_authentication::Settings,
    /// Host name of this relay.
    receiver: Arc<str>,
}

impl MessageAuthentication {
    /// Sets up the resolver of a configuration; asks nothing yet.
    ///
    /// # Errors
    /// The resolver cannot be set up.
    pub fn new(config: &Config) -> Result<Self, NoResolver> {
        let dns = config.dns.settings();
        Ok(Self::with(Resolver::new(&dns)?, dns, config))
    }

    /// Returns the replacement under a new configuration. Keeps the resolver if `[dns]` is
    /// unchanged.
    ///
    /// # Errors
    /// As [`MessageAuthentication::new`].
    pub fn renewed(&self, config: &Config) -> Result<Self, NoResolver> {
        let dns = config.dns.settings();
        if dns != self.dns {
            return Self::new(config);
        }
        Ok(Self::with(self.resolver.clone(), dns, config))
    }

    /// Returns the relay's resolver.
    pub fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    fn with(resolver: Resolver, dns: ResolverSettings, config: &Config) -> Self {
        Self {
            resolver,
            dns,
            settings: config.authentication.settings(),
            receiver: config.relay.hostname.as_str().into(),
        }
    }

    /// Gathers all facts about a message, from its bytes before repair (`came`) where those differ.
    /// A result that could not be found out is `temperror`: this never
    /// fails.
    pub async fn gather(
        &self,
        transaction: &Transaction,
        message: &Message,
        came: Option<&Message>,
    ) -> Facts {
        let began = Instant::now();
        let session = &transaction.session;
        let arrival = Arrival {
            // Without a client nothing is proved.
            client: (session.client_ip()).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            helo: session.helo.as_deref().unwrap_or_default(),
            receiver: &self.receiver,
            reverse_path: &transaction.reverse_path,
            at: transaction.time,
        };
        let facts = match came {
            Some(came) => {
                gather_repaired(came, message, &arrival, &self.resolver, &self.settings).await
            }
            None => gather(message, &arrival, &self.resolver, &self.settings).await,
        };
        let listener = session.listener.clone();
        metrics::histogram!("gatepost_authentication_seconds", "listener" => listener)
            .record(began.elapsed().as_secs_f64());
        count(&facts);
        facts
    }
}

fn count(facts: &Facts) {
    for (method, result) in [
        ("spf", facts.spf.mailfrom.result),
        ("dkim", facts.best_dkim()),
        ("dmarc", facts.dmarc.result),
        ("arc", facts.arc.result),
        ("iprev", facts.iprev.result),
    ] {
        metrics::counter!(
            "gatepost_authentication_results_total", "method" => method, "result" => result.word()
        )
        .increment(1);
    }
}
