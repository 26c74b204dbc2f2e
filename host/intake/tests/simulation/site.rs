//! A relay of ours with its accounts, on the world's clock.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use gatepost_config::Config;
use gatepost_directory::{AccountKind, Directory, Grant, Limits, Profile, Settings, View};
use gatepost_intake::dry_run::{DryRun, DryRunMessage, DryRunResult};
use gatepost_intake::pipeline::judge::{Disposition, RecipientDisposition};
use gatepost_message::{Message, Millis, Separators, TransactionId};
use gatepost_model::{Flow, Session, Transaction};
use gatepost_policy::{Engine, EngineSettings};

/// Policies that stop loops, in the order of both chains.
pub const POLICIES: [&str; 3] = ["partner-guard", "loop-guard", "header-guard"];

/// Relay of ours, by dry run.
pub struct Site {
    relay: DryRun,
    /// User name with which each account's application logs in, by the account's domain.
    users: BTreeMap<String, String>,
}

/// Answer of a relay to a client.
#[derive(Debug)]
pub enum Answer {
    /// Acceptance, with the message as it goes on and its recipients.
    Taken(Message, Vec<String>),
    /// Temporary refusal.
    Later,
    /// Permanent refusal, with the reply.
    Refused(String),
}

impl Site {
    /// Creates a relay with an account for each of these domains and all policies but `without`.
    pub async fn new(domains: &[&str], without: &[&str]) -> Self {
        let mut text = config(domains[0], without);
        let mut users = BTreeMap::new();
        for domain in domains {
            let user = format!("app@{domain}");
            text += &format!(
                r#"
                [[account]]
                id = "{domain}"
                domains = ["{domain}"]
                users = [{{ name = "{user}", password = "correct horse battery staple" }}]
                "#
            );
            users.insert((*domain).to_owned(), user);
        }
        Self::with(&text, Arc::new(View::empty()), users).await
    }

    /// Creates a relay with one account that has this address as its partner.
    pub async fn sharing(domain: &str, partner: &str, without: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(&Settings {
            path: folder.path().join("directory.db"),
            key_ring: folder.path().join("key-ring"),
            limits: Limits::default(),
            separators: Separators::default(),
        })
        .unwrap();
        let profile = Profile {
            kind: AccountKind::Production,
            product: "Acme Desk".parse().unwrap(),
            time_zone: "Europe/Berlin".parse().unwrap(),
            native_domain: domain.parse().unwrap(),
            brands: Vec::new(),
        };
        let account = directory.add_account(profile).unwrap().id;
        let address = format!("support@{domain}").parse().unwrap();
        directory.add_address(account, address).unwrap();
        let entry = partner.parse().unwrap();
        directory.add_partner(account, &entry).unwrap();
        let issued = directory
            .issue(Grant::Submission { account }, false)
            .unwrap();
        let user = issued.credential.user_name.to_string();
        let view = directory.view();
        let users = BTreeMap::from([(domain.to_owned(), user)]);
        Self::with(&config(domain, without), view, users).await
    }

    async fn with(config: &str, directory: Arc<View>, users: BTreeMap<String, String>) -> Self {
        let config = Config::parse(config, Path::new("gatepost.toml"), Path::new("")).unwrap();
        let relay = DryRun::new(engine(), config, directory).await;
        Self {
            relay: relay.unwrap(),
            users,
        }
    }

    /// Takes mail from outside.
    pub async fn receive(&self, now: Millis, from: &str, to: &str, message: Message) -> Answer {
        let handed = handed(now, None, from, &[to.to_owned()], message);
        answer(self.relay.judge(handed).await)
    }

    /// Takes mail from the application of an account.
    pub async fn submit(
        &self,
        now: Millis,
        account: &str,
        from: &str,
        to: &[String],
        message: Message,
    ) -> Answer {
        let handed = handed(now, Some(&self.users[account]), from, to, message);
        answer(self.relay.judge(handed).await)
    }
}

/// Returns the configuration of a relay without accounts.
fn config(domain: &str, without: &[&str]) -> String {
    let chain: Vec<&str> = POLICIES
        .into_iter()
        .filter(|of| !without.contains(of))
        .collect();
    format!(
        r#"
        [relay]
        hostname = "mx.{domain}"
        [tls] # nobody speaks it here, but nobody may log in without
        certificate = "certificate.pem"
        key = "key.pem"
        [[listener]]
        name = "mx"
        address = "127.0.0.1:0"
        direction = "inbound"
        tls = "none"
        chain = {chain:?}
        [[listener]]
        name = "submission"
        address = "127.0.0.1:0"
        direction = "submission"
        tls = "required-starttls"
        chain = {chain:?}
        "#
    )
}

/// Creates an engine with a cache, so that each policy is compiled once.
fn engine() -> Arc<Engine> {
    Engine::new(EngineSettings {
        instances: 8,
        cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies")),
        ..EngineSettings::default()
    })
    .unwrap()
}

fn handed(
    now: Millis,
    user: Option<&str>,
    from: &str,
    to: &[String],
    message: Message,
) -> DryRunMessage {
    let (listener, flow) = match user {
        Some(_) => ("submission", Flow::Submission),
        None => ("mx", Flow::Inbound),
    };
    DryRunMessage {
        transaction: Transaction {
            id: TransactionId::new(),
            time: now,
            session: Session {
                listener: listener.to_owned(),
                flow,
                transport: gatepost_model::Transport::Smtp,
                client: Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 2525)),
                helo: Some("client.example".to_owned()),
                tls: None,
                user: user.map(str::to_owned),
            },
            account: None,
            reverse_path: from.parse().unwrap(),
            recipients: Vec::new(),
        },
        recipients: to.iter().map(|to| to.parse().unwrap()).collect(),
        message,
        refusals: Default::default(),
    }
}

fn answer(result: DryRunResult) -> Answer {
    let recipients = match result.disposition {
        Disposition::Refused(reply) if reply.is_transient() => return Answer::Later,
        Disposition::Refused(reply) => return Answer::Refused(reply.to_string()),
        Disposition::Discarded | Disposition::Recorded => Vec::new(),
        Disposition::Accepted { recipients, .. } => recipients,
    };
    let delivered = recipients
        .into_iter()
        .filter(|(_, disposition)| *disposition == RecipientDisposition::Delivered);
    let delivered = delivered.map(|(address, _)| address.to_string()).collect();
    Answer::Taken(result.message, delivered)
}
