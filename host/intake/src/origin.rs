//! Finds out where a message came from: SPF, DKIM, DMARC, ARC and iprev, by the DNS.
//!
//! It costs questions to strangers' name servers and time for signatures, so it is done only where
//! somebody wants to know: a policy that imports `authentication`, or `gatepost check --dns`. One
//! [`Origin`] serves all sessions of a configuration; its resolver, with what it keeps, lives on
//! over reloads that leave `[dns]` as it is.

use std::sync::Arc;
use std::time::Instant;

use gatepost_authentication::{
    Arrival, Facts, NameServer, NoResolver, Resolver, ResolverSettings, gather, gather_repaired,
};
use gatepost_message::Message;
use gatepost_model::Transaction;

use gatepost_config::Config;

/// Gathers facts about messages.
#[derive(Clone)]
pub struct Origin {
    resolver: Resolver,
    /// What the resolver was made from.
    dns: ResolverSettings,
    settings: gatepost_authentication::Settings,
    /// Our own name.
    receiver: Arc<str>,
}

impl Origin {
    /// As a configuration has it; nothing is asked yet.
    ///
    /// # Errors
    /// The resolver cannot be set up.
    pub fn new(config: &Config) -> Result<Self, NoResolver> {
        let dns = config.dns.settings();
        Ok(Self::with(resolver(&dns)?, dns, config))
    }

    /// The one that takes its place when the configuration is read again.
    ///
    /// # Errors
    /// As [`Origin::new`].
    pub fn renewed(&self, config: &Config) -> Result<Self, NoResolver> {
        let dns = config.dns.settings();
        if dns != self.dns {
            return Self::new(config);
        }
        Ok(Self::with(self.resolver.clone(), dns, config))
    }

    fn with(resolver: Resolver, dns: ResolverSettings, config: &Config) -> Self {
        Self {
            resolver,
            dns,
            settings: config.authentication.settings(),
            receiver: config.relay.hostname.as_str().into(),
        }
    }

    /// Gathers all there is to know of a message, or of what came where that had other octets. What
    /// could not be found out is `temperror`: this never fails.
    pub async fn gather(
        &self,
        transaction: &Transaction,
        message: &Message,
        came: Option<&Message>,
    ) -> Facts {
        let began = Instant::now();
        let session = &transaction.session;
        let arrival = Arrival {
            client: session.client.ip(),
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

/// Where the system says nothing of name servers, the one on this machine is asked
/// (resolv.conf(5)).
fn resolver(settings: &ResolverSettings) -> Result<Resolver, NoResolver> {
    let local = || NameServer(([127, 0, 0, 1], 53).into());
    Resolver::new(settings).or_else(|error| {
        if !settings.servers.is_empty() {
            return Err(error);
        }
        tracing::warn!(%error, "asking the name server on this machine");
        Resolver::new(&ResolverSettings {
            servers: vec![local()],
            ..settings.clone()
        })
    })
}
