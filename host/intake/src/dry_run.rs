//! A relay without sockets and stores: a message goes the way of a live one, to the end of data and
//! to its route, but nothing is queued and nothing is sent.
//!
//! The same functions judge as in the running relay: the session's limits and rules for line ends
//! hold, all hooks from connect to message are asked ([`crate::pipeline`]), then the route for each
//! recipient that would be queued. The time is that of the transaction. Effects of accepted
//! messages are kept as long as the dry run lasts.

mod memory;
mod smtp_session;

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_directory::View;
use gatepost_message::{Address, Message, Repairs};
use gatepost_model::{Routing, Transaction};
use gatepost_policy::{Engine, Pinned};
use gatepost_smtp::{Reply, server};
use miette::IntoDiagnostic as _;

use self::memory::DryRunMemory;
use crate::edits::host_rules;
use crate::look_ups::AccountView;
use crate::message_authentication::MessageAuthentication;
use crate::ownership::Ownership;
use crate::pipeline::judge::{Arrival, Disposition, Judged, RecipientDisposition, judge};
use crate::pipeline::{Findings, admission, initial_findings};
use gatepost_config::Config;
use gatepost_policy_set::Policies;

/// A relay's configuration and policies, without its effects.
pub struct DryRun {
    config: Arc<Config>,
    directory: Arc<View>,
    policies: Policies,
    memory: Arc<DryRunMemory>,
    authentication: MessageAuthentication,
}

/// A message as a client submits it.
#[derive(Debug)]
pub struct DryRunMessage {
    /// Session, time and reverse-path; no account and no recipients yet. The session names the
    /// listener whose chain is asked.
    pub transaction: Transaction,
    /// Recipients of RCPT, in order.
    pub recipients: Vec<Address>,
    /// Message of DATA.
    pub message: Message,
}

/// Result that the message would have.
#[derive(Debug)]
pub struct DryRunResult {
    /// Transaction with its account and the recipients that RCPT accepted.
    pub transaction: Transaction,
    /// Recipients that RCPT refused, with the reply.
    pub refused: Vec<(Address, Reply)>,
    /// Disposition of the rest; refused as well where it did not come to the end of data.
    pub disposition: Disposition,
    /// Last reply to the client.
    pub reply: Reply,
    /// Message as it would be queued.
    pub message: Message,
    /// Authentication facts that were gathered.
    pub facts: Option<Arc<Facts>>,
    /// Route of each recipient that would get it.
    pub routes: Vec<(Address, Routing)>,
    /// Findings of the policies.
    pub findings: Findings,
}

impl DryRun {
    /// Loads the policies.
    ///
    /// # Errors
    /// One of them cannot be used, or the resolver cannot start.
    pub async fn new(
        engine: Arc<Engine>,
        config: Config,
        directory: Arc<View>,
    ) -> miette::Result<Self> {
        Ok(Self {
            policies: Policies::load(engine, &config).await?,
            memory: Arc::default(),
            authentication: MessageAuthentication::new(&config).into_diagnostic()?,
            config: Arc::new(config),
            directory,
        })
    }

    /// Returns true if policies wanted more remembered than a dry run has room for.
    pub fn dropped_effects(&self) -> bool {
        self.memory.is_full()
    }

    /// Returns the configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the ownership by configuration and directory.
    pub fn ownership(&self) -> Ownership<'_> {
        Ownership {
            config: &self.config,
            directory: &self.directory,
        }
    }

    /// Returns the policies' look-ups about accounts.
    pub fn accounts(&self) -> AccountView {
        AccountView {
            config: Arc::clone(&self.config),
            directory: Arc::clone(&self.directory),
        }
    }

    /// Judges one message.
    pub async fn judge(&self, submitted: DryRunMessage) -> DryRunResult {
        let DryRunMessage {
            mut transaction,
            recipients,
            message,
        } = submitted;
        let chain = self.policies.chain(&transaction.session.listener);
        let policies = chain
            .begin(self.accounts().policy_context(self.memory.clone()))
            .within(self.config.limits.sizes());
        let mut findings = initial_findings(&self.config);
        let mut refused = Vec::new();
        let refusal = self
            .envelope(
                &policies,
                &mut transaction,
                &recipients,
                &mut findings,
                &mut refused,
            )
            .await;
        let (reply, judged) = match refusal {
            Some(reply) => {
                let judged = Judged {
                    disposition: Disposition::Refused(reply.clone()),
                    message,
                    facts: None,
                    findings,
                };
                (reply, judged)
            }
            None => {
                let judged = self.data(&policies, &transaction, message, findings).await;
                (judged.reply(&transaction), judged)
            }
        };
        let Judged {
            disposition,
            message,
            facts,
            mut findings,
        } = judged;
        if !matches!(disposition, Disposition::Refused(_)) {
            self.memory.remember(&findings.effects, transaction.time);
        }
        let routes = routes(&policies, &transaction, &disposition, &mut findings).await;
        DryRunResult {
            transaction,
            refused,
            disposition,
            reply,
            message,
            facts,
            routes,
            findings,
        }
    }

    /// Runs the hooks from the connection to RCPT; returns the refusal that ends it, if any.
    async fn envelope(
        &self,
        policies: &Pinned,
        transaction: &mut Transaction,
        recipients: &[Address],
        findings: &mut Findings,
        refused: &mut Vec<(Address, Reply)>,
    ) -> Option<Reply> {
        let admission = admission::connect(policies, &transaction.session, transaction.time).await;
        if let Some(reply) = admission.add_to(findings, None) {
            return Some(smtp_session::banner(&reply).unwrap_or(reply));
        }
        let admission = admission::sender(self.ownership(), policies, transaction).await;
        if let Some(reply) = admission.add_to(findings, transaction.account.as_deref()) {
            return Some(reply);
        }
        let most = self.config.limits.recipients;
        for address in recipients {
            let refusal = if transaction.recipients.len() < most {
                let admission =
                    admission::recipient(self.ownership(), policies, transaction, address).await;
                admission.add_to(findings, transaction.account.as_deref())
            } else {
                let text = format!("Too many recipients: at most {most}");
                Some(Reply::new(452, "4.5.3", text))
            };
            if let Some(reply) = refusal {
                refused.push((address.clone(), reply));
            }
        }
        transaction.recipients.is_empty().then(|| {
            let first = refused.first().map(|(_, reply)| reply.clone());
            first.unwrap_or_else(|| Reply::new(554, "5.5.1", "No valid recipients"))
        })
    }

    /// Runs from DATA to the end of data.
    async fn data(
        &self,
        policies: &Pinned,
        transaction: &Transaction,
        message: Message,
        findings: Findings,
    ) -> Judged {
        let (message, repairs) = match self.receive(&message) {
            Ok(None) => (message, None),
            Ok(Some((repaired, repairs))) => (repaired, Some(repairs)),
            Err(reply) => {
                return Judged {
                    disposition: Disposition::Refused(reply),
                    message,
                    facts: None,
                    findings,
                };
            }
        };
        let arrival = Arrival {
            authentication: &self.authentication,
            gather: !self.config.dns.servers.is_empty(),
            ownership: self.ownership(),
            protocol: server::protocol(
                is_international(transaction),
                false,
                transaction.session.user.is_some(),
            ),
            repairs: repairs.as_deref(),
        };
        judge(policies, transaction, message, arrival, findings).await
    }

    /// Returns the message as the session would have repaired it, if it needs repair.
    ///
    /// # Errors
    /// The reply that keeps it from the policies.
    fn receive(&self, message: &Message) -> Result<Option<(Message, Box<Repairs>)>, Reply> {
        // It was read from memory, so it can be read again.
        let Ok(octets) = message.to_bytes() else {
            return Ok(None);
        };
        let limits = self.config.limits.session(self.config.repair);
        smtp_session::receive(&octets, limits)
    }
}

/// Asks for the routes of all recipients that would get the message.
async fn routes(
    policies: &Pinned,
    transaction: &Transaction,
    disposition: &Disposition,
    findings: &mut Findings,
) -> Vec<(Address, Routing)> {
    let Disposition::Accepted { recipients, .. } = disposition else {
        return Vec::new();
    };
    let mut routes = Vec::new();
    for (address, disposition) in recipients {
        if *disposition != RecipientDisposition::Delivered {
            continue;
        }
        let routing = if host_rules::may_be_routed(transaction) {
            let ruling = policies.route(transaction, address, 0).await;
            findings.judgements.extend(ruling.judgements);
            ruling.routing
        } else {
            Routing::Pass
        };
        routes.push((address.clone(), routing));
    }
    routes
}

/// Returns true if a client must announce SMTPUTF8 for these addresses (RFC 6531 section 3.4).
fn is_international(transaction: &Transaction) -> bool {
    let sender = transaction.reverse_path.address().into_iter();
    let mut addresses = sender.chain(&transaction.recipients);
    !addresses.all(Address::is_ascii)
}
