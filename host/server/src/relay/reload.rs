//! Replacement of the active configuration by another, as a whole or not at all.
//!
//! Everything that can fail is done first: the file is read, every policy loaded, certificate and
//! roots read, new addresses bound. Then all parts are activated, which cannot fail. Sessions and
//! transactions keep what they began with (see [`gatepost_intake::active_config`]); no connection
//! is closed.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use gatepost_operations::administrators::letter_settings;
use gatepost_operations::connections::try_now;
use gatepost_operations::dkim::DkimTools;
use gatepost_operations::domains::DomainSettings;
use gatepost_operations::reload::{Refusal, Reloaded};

use super::sockets::{AddressOf, Bound};
use super::{RunningRelay, challenge_tls, handover_tls, relay_tls, tell_missing_certificate};
use gatepost_acme::PreparedAcme;
use gatepost_backup::BackupSource;
use gatepost_certificates::ServerTls;
use gatepost_config::{Change, Config, ConfigError, Finding, HttpTls, Step, at};
use gatepost_connections::ConnectionKey;
use gatepost_delivery::Language;
use gatepost_feeds as feeds;
use gatepost_intake::message_authentication::MessageAuthentication;
use gatepost_intake::ownership;
use gatepost_message::Millis;
use gatepost_observability as observability;
use gatepost_operations::SiteFacts;
use gatepost_operations::restrictions::SiteVolume;
use gatepost_policy_set as policies;
use gatepost_policy_set::folder;
use gatepost_routing::Outside;

/// Returns true if something has changed that delivery's settings are made of. They are activated
/// anew then, which costs its idle connections.
fn concerns_delivery(before: &Config, now: &Config, changes: &[Change]) -> bool {
    let languages = |config: &Config| -> BTreeMap<String, Language> {
        let accounts = config.accounts.iter();
        let languages =
            accounts.filter_map(|account| Some((account.id.clone(), account.language?)));
        languages.collect()
    };
    before.relay.hostname != now.relay.hostname
        || before.delivery != now.delivery
        || before.events.record != now.events.record
        || before.queue != now.queue
        || before.routes != now.routes
        || before.lmtp != now.lmtp
        || before.notifications != now.notifications
        || before.headers != now.headers
        || before.suppression.suppressing() != now.suppression.suppressing()
        || languages(before) != languages(now)
        // Certificates and templates stand in files.
        || changes.iter().any(|change| change.key.starts_with("file "))
}

/// A configuration that can be activated.
struct Checked {
    config: Arc<Config>,
    changes: Vec<Change>,
    policies: policies::PreparedSet,
    tls: Option<ServerTls>,
    acme: Option<PreparedAcme>,
    delivery: gatepost_delivery::Prepared,
    notifications: Arc<gatepost_delivery::Notifications>,
    feeds: feeds::Client,
    dkim: DkimTools,
    outside: Outside,
    authentication: MessageAuthentication,
    level: tracing_subscriber::EnvFilter,
    watched: Option<folder::PreparedWatch>,
    bound: Bound,
}

/// Problems of a configuration, each at its place.
#[derive(Default)]
struct Problems(Vec<Finding>);

impl Problems {
    /// Notes the error of a part that stands in one place, or returns the part.
    fn of<T, E: Display>(&mut self, prepared: Result<T, E>, at: impl Into<Vec<Step>>) -> Option<T> {
        let at = at.into();
        self.of_all(prepared.map_err(|error| [error]), |_| at.clone())
    }

    /// Notes the errors of a part, or returns the part.
    fn of_all<T, E: Display>(
        &mut self,
        prepared: Result<T, impl IntoIterator<Item = E>>,
        at: impl Fn(&E) -> Vec<Step>,
    ) -> Option<T> {
        let errors = match prepared {
            Ok(prepared) => return Some(prepared),
            Err(errors) => errors,
        };
        let findings = errors.into_iter().map(|error| Finding {
            at: at(&error),
            message: error.to_string(),
            help: "mend it, or put back what was there".to_owned(),
        });
        self.0.extend(findings);
        None
    }
}

impl RunningRelay {
    /// Reads the configuration again and activates it, if all of it can be used.
    pub(super) async fn reload(&mut self, dry_run: bool) -> Reloaded {
        let mut reloaded = Reloaded {
            file: self.path.display().to_string(),
            applied: false,
            changes: Vec::new(),
            listening: BTreeMap::new(),
            problems: Vec::new(),
        };
        match self.check().await {
            Err(error) => {
                reloaded.problems = refusals(&error);
                if !dry_run {
                    let problems: Vec<_> = (reloaded.problems.iter())
                        .map(|problem| &problem.message)
                        .collect();
                    tracing::error!(%error, ?problems, "configuration not reloaded, the active one stays");
                }
            }
            Ok(checked) => {
                reloaded.changes.clone_from(&checked.changes);
                if !dry_run {
                    self.activate(checked).await;
                    let config = Arc::clone(&self.active.load().config);
                    let addresses = self.sockets.addresses(&config).into_iter();
                    reloaded.listening = addresses
                        .map(|(name, address)| (name, address.to_string()))
                        .collect();
                    for change in &reloaded.changes {
                        tracing::info!(%change, "configuration changed");
                    }
                    let changes = reloaded.changes.len();
                    tracing::info!(changes, "configuration reloaded");
                    reloaded.applied = true;
                }
            }
        }
        reloaded
    }

    /// Does everything that can fail.
    async fn check(&self) -> Result<Checked, ConfigError> {
        let path = self.path.clone();
        let config = tokio::task::spawn_blocking(move || Config::load(&path)).await;
        let config =
            config.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        config.check_secrets()?;
        let before = Arc::clone(&self.active.load().config);
        let mut changes = before.changes(&config)?;
        let mut problems = Problems::default();
        let level = problems.of(config.log.filter(), at!["log", "level"]);
        let tls = problems.of(relay_tls(&config, &self.acme), at!["tls"]);
        let acme = config.acme_settings.clone().map(PreparedAcme::new);
        let acme = problems.of(acme.transpose(), at!["acme", "ca-file"]);
        let notifications = config.notices().map_err(|errors| errors.0);
        let notifications = problems.of_all(notifications, |_| {
            at!["notifications", "templates"].to_vec()
        });
        let settings = config.delivery_settings(notifications.clone().unwrap_or_default());
        problems.of_all(config.check_egress(), |error| {
            let pool = Step::from(&error.pool);
            vec![Step::from("egress"), pool, Step::from("addresses")]
        });
        let delivery = problems.of(self.delivery.prepare(settings), at!["delivery", "ca-file"]);
        let watched = problems.of(folder::prepare(&config), at!["relay", "policies"]);
        let authentication = self.parts.authentication.renewed(&config);
        let authentication = problems.of(authentication, at!["dns"]);
        let feeds = authentication.as_ref().map(|authentication| {
            let guard = config.destinations.guard(authentication.resolver());
            feeds::Client::new(&config.directory, guard)
        });
        let feeds = feeds.and_then(|feeds| problems.of(feeds, at!["directory", "feed-ca-file"]));
        let dkim = DkimTools::new(&config);
        // The same resolver is made above: one problem is said once.
        let dkim = match authentication {
            Some(_) => problems.of(dkim, at!["dns"]),
            None => dkim.ok(),
        };
        // It reads the same certificates: one problem is said once.
        let outside = authentication.as_ref().filter(|_| delivery.is_some());
        let outside = outside.map(|of| Outside::new(&config, of.resolver()));
        let outside = outside.and_then(|outside| problems.of(outside, at!["mx"]));
        let policies = self.policies.prepare(&config).await;
        let policies = problems.of_all(policies.map_err(|errors| errors.0), |error| {
            let mut names = config.policies.iter().map(|policy| &policy.name);
            let number = names.position(|name| *name == error.policy);
            at!["policy", number.unwrap_or_default()].to_vec()
        });
        let bound = self.sockets.bind(&config).map_err(|error| [error]);
        let bound = problems.of_all(bound, |error| match error.of {
            AddressOf::Listener(number) => at!["listener", number, "address"].to_vec(),
            AddressOf::Monitors => at!["http", "address"].to_vec(),
            AddressOf::Handovers => at!["handover", "address"].to_vec(),
            AddressOf::Api => at!["api"].to_vec(),
            AddressOf::Challenges => at!["acme", "listen"].to_vec(),
        });
        let config = Arc::new(config);
        let checked = || {
            let policies = policies?;
            changes.extend(policies.changes.iter().cloned());
            Some(Checked {
                config: Arc::clone(&config),
                changes,
                policies,
                tls: tls?,
                acme: acme?,
                delivery: delivery?,
                feeds: feeds?,
                dkim: dkim?,
                outside: outside?,
                notifications: notifications?,
                authentication: authentication?,
                level: level?,
                watched: watched?,
                bound: bound?,
            })
        };
        checked().ok_or_else(|| config.document.refused(problems.0))
    }

    /// Has a connection of the site that was changed tried at once, and forgets the state of one that
    /// was removed.
    async fn carry_states(&self, before: &Config, now: &Config) {
        for (name, former) in &before.site.connections {
            let key = ConnectionKey::of_site(name.clone());
            match now.site.connections.get(name) {
                None => self.states.forget(&key),
                Some(of) if of.connection != former.connection => {
                    (self.states).carry_authorization(&key, &former.connection, &of.connection);
                    (self.states).show([(key.clone(), &*of.connection)], Millis::now());
                    let queue = &*self.parts.stores.admin;
                    let tried = try_now(queue, &self.states, Some(&self.reopen), &key);
                    if let Err(error) = tried.await {
                        tracing::error!(connection = %key, error = error.message, "not tried at once");
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// Activates the configuration; none of this can fail.
    async fn activate(&mut self, checked: Checked) {
        let Checked {
            config,
            changes,
            policies,
            tls,
            acme,
            delivery,
            feeds,
            dkim,
            outside,
            notifications,
            authentication,
            level,
            watched,
            bound,
        } = checked;
        self.limit.set(config.relay.drain);
        self.feeds.store(Arc::new(feeds));
        self.site.store(Arc::new(SiteVolume::from(&*config)));
        (self.parts.probes).set_settings(config.verification.settings());
        let letters = letter_settings(&config, Arc::clone(&notifications));
        self.administrators.set_settings(letters);
        self.dkim.store(Arc::new(dkim));
        self.backups.activate(BackupSource::of(&config));
        (self.domains).store(Some(Arc::new(DomainSettings::from(&*config))));
        (self.webhooks).activate(|name| outside.webhook(name), &config.webhooks);
        self.ways.outside.store(Arc::new(outside));
        self.connections.activate(Arc::clone(&config.site));
        self.parts.authentication = authentication;
        self.facts.store(Some(Arc::new(SiteFacts::from(&*config))));
        let keeper = Arc::clone(&self.acme);
        let activated = tokio::task::spawn_blocking(move || keeper.activate(acme));
        if activated.await.is_err() {
            tracing::error!("the certificate of the store was not read again");
        }
        tell_missing_certificate(&config, tls.as_ref());
        let challenges = challenge_tls(&config, tls.as_ref());
        self.acme.server().set_tls(challenges);
        self.handover.set_tls(handover_tls(&config, tls.as_ref()));
        if let Some(api) = &config.api {
            let tls = tls.as_ref().filter(|_| api.tls() == HttpTls::Implicit);
            self.api.activate(api.requests_a_minute, tls.cloned());
        }
        self.sockets.close_all_but(&config).await;
        let active_config =
            (self.parts)
                .active_config(&config, &notifications, tls.as_ref(), |l| policies.chain(l));
        self.watch = None;
        self.policies.activate_all(policies).await;
        self.watch = watched.map(|watched| watched.start(Arc::clone(&self.policies)));
        let before = Arc::clone(&self.active.load().config);
        self.active.store(Arc::new(active_config));
        if concerns_delivery(&before, &config, &changes) {
            self.delivery.activate(delivery);
        }
        self.carry_states(&before, &config).await;
        observability::set_log_level(level);
        self.parts.stores.admin.set_min_free(config.relay.min_free);
        self.parts.stores.events.set_recording(config.events.record);
        self.parts.directory.set_limits(config.directory.limits());
        let (directory, all) = (Arc::clone(&self.parts.directory), config.directory.clone());
        // Rereads every partner address if the separators have changed.
        let separated = tokio::task::spawn_blocking(move || {
            directory.set_separators(all.sub_address_separators)
        });
        if !matches!(separated.await, Ok(Ok(()))) {
            tracing::error!(
                "sub-address separators not applied: rebuilding the partner index failed"
            );
        }
        ownership::reserve_configured_domains(&config, &self.parts.directory);
        if let Some(record) = &self.parts.policy_record {
            record.set(config.record.as_ref().map(Into::into));
        }
        let (trace, retention) = (Arc::clone(&self.parts.trace), config.trace.retention());
        // Blocking: it may wait for the writer.
        let retained = tokio::task::spawn_blocking(move || trace.set_retention(retention)).await;
        if !matches!(retained, Ok(Ok(()))) {
            tracing::error!("trace retention unchanged: the trace writer has ended");
        }
        let servers = self.http_servers();
        let opened = (self.sockets).open(bound, &self.active, servers, &self.phase);
        if let Err(error) = opened {
            tracing::error!(%error, "a socket that was bound cannot be opened");
        }
    }
}

fn refusals(error: &ConfigError) -> Vec<Refusal> {
    match error {
        ConfigError::Unreadable { .. } => vec![Refusal {
            line: None,
            message: error.to_string(),
            help: None,
        }],
        ConfigError::Invalid { problems, .. } => (problems.iter())
            .map(|problem| Refusal {
                line: problem.line(),
                message: problem.to_string(),
                help: problem.what_to_do().map(str::to_owned),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(more: &str) -> Config {
        let text = format!(
            "[relay]\nhostname = \"mx.desk.example\"\n[[listener]]\nname = \"mx\"\n\
             address = \"127.0.0.1:0\"\ndirection = \"inbound\"\ntls = \"none\"\n{more}"
        );
        let path = Path::new("gatepost.toml");
        Config::parse(&text, path, Path::new("")).unwrap()
    }

    fn concerns(before: &str, now: &str) -> bool {
        let (before, now) = (config(before), config(now));
        concerns_delivery(&before, &now, &before.changes(&now).unwrap())
    }

    #[test]
    fn idle_connections_stay_where_delivery_has_not_changed() {
        for now in [
            "",
            "[log-ins]\nfailures-per-user = 3",
            "[limits]\nrecipients = 7",
            "[dns]\nattempts = 3",
            "[repair]\nopening = false",
        ] {
            assert!(!concerns("", now), "{now}");
        }
    }

    #[test]
    fn what_notices_and_attempts_are_made_of_is_activated() {
        for now in [
            "[delivery]\nmessages-in-flight = 3",
            "[suppression]\nsoft-within = \"3d\"",
            "[suppression]\nsoft-failures = 3",
            "[notifications]\ndelay-unasked = false",
            "[headers]\ntags = \"X-Desk-Tags\"",
            "[[account]]\nid = \"acme\"\ndomains = [\"acme.example\"]\nlanguage = \"pt\"",
        ] {
            assert!(concerns("", now), "{now}");
        }
    }
}
