//! A relay without sockets and stores: what is handed in goes the way of a live message, to the end
//! of data and to the question of its route, but nothing is queued and nothing is sent.
//!
//! The same functions judge as in the running relay: the session's limits and its rules for line
//! ends hold, all hooks from connect to message are asked ([`crate::pipeline`]), then the route for
//! each recipient that would be queued. The time is that of the transaction. What policies want
//! remembered of an accepted message is remembered for as long as the rehearsal lasts.

mod memory;
mod wire;

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_directory::View;
use gatepost_message::{Address, Message, Repairs};
use gatepost_model::{Routing, Transaction};
use gatepost_policy::{Engine, Pinned};
use gatepost_smtp::{Reply, server};
use miette::IntoDiagnostic as _;

use self::memory::RunMemory;
use crate::edits::host_rules;
use crate::look_ups::Accounts;
use crate::origin::Origin;
use crate::ownership::Ownership;
use crate::pipeline::judge::{Arrival, Fate, Judged, Lot, judge};
use crate::pipeline::{Findings, admission, none_yet};
use gatepost_config::Config;
use gatepost_policy_set::Policies;

/// All that a relay judges by.
pub struct Rehearsal {
    config: Arc<Config>,
    directory: Arc<View>,
    policies: Policies,
    memory: Arc<RunMemory>,
    origin: Origin,
}

/// A message as a client hands it in.
#[derive(Debug)]
pub struct Handed {
    /// The session, the time and the reverse-path; no account and no recipients yet. The session
    /// names the listener whose chain is asked.
    pub transaction: Transaction,
    /// Whom RCPT names, in order.
    pub recipients: Vec<Address>,
    /// What DATA brings.
    pub message: Message,
}

/// What would become of it.
#[derive(Debug)]
pub struct Rehearsed {
    /// With its account and the recipients that were not refused at RCPT.
    pub transaction: Transaction,
    /// Who was refused at RCPT.
    pub refused: Vec<(Address, Reply)>,
    /// What becomes of the rest; refused as well where it did not come to the end of data.
    pub fate: Fate,
    /// What the client is told last.
    pub reply: Reply,
    /// As it would be queued.
    pub message: Message,
    /// What was gathered about its origin.
    pub facts: Option<Arc<Facts>>,
    /// Where each recipient would be sent that gets it.
    pub routes: Vec<(Address, Routing)>,
    /// What the policies said.
    pub findings: Findings,
}

impl Rehearsal {
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
            origin: Origin::new(&config).into_diagnostic()?,
            config: Arc::new(config),
            directory,
        })
    }

    /// Whether policies have wanted more remembered than a rehearsal remembers.
    pub fn has_forgotten(&self) -> bool {
        self.memory.is_full()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whose is what.
    pub fn ownership(&self) -> Ownership<'_> {
        Ownership {
            config: &self.config,
            directory: &self.directory,
        }
    }

    /// What policies may look up of an account.
    pub fn accounts(&self) -> Accounts {
        Accounts {
            config: Arc::clone(&self.config),
            directory: Arc::clone(&self.directory),
        }
    }

    /// Judges one message.
    pub async fn judge(&self, handed: Handed) -> Rehearsed {
        let Handed {
            mut transaction,
            recipients,
            message,
        } = handed;
        let chain = self.policies.chain(&transaction.session.listener);
        let policies = chain
            .begin(self.accounts().and(self.memory.clone()))
            .within(self.config.limits.sizes());
        let mut findings = none_yet(&self.config);
        let mut refused = Vec::new();
        let turned_away = self
            .envelope(
                &policies,
                &mut transaction,
                &recipients,
                &mut findings,
                &mut refused,
            )
            .await;
        let (reply, judged) = match turned_away {
            Some(reply) => {
                let judged = Judged {
                    fate: Fate::Refused(reply.clone()),
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
            fate,
            message,
            facts,
            mut findings,
        } = judged;
        if !matches!(fate, Fate::Refused(_)) {
            self.memory.remember(&findings.effects, transaction.time);
        }
        let routes = routes(&policies, &transaction, &fate, &mut findings).await;
        Rehearsed {
            transaction,
            refused,
            fate,
            reply,
            message,
            facts,
            routes,
            findings,
        }
    }

    /// From the connection to RCPT; the refusal that ends it, if one does.
    async fn envelope(
        &self,
        policies: &Pinned,
        transaction: &mut Transaction,
        recipients: &[Address],
        findings: &mut Findings,
        refused: &mut Vec<(Address, Reply)>,
    ) -> Option<Reply> {
        let admission = admission::connect(policies, &transaction.session, transaction.time).await;
        if let Some(reply) = admission.noted(findings, None) {
            return Some(wire::banner(&reply).unwrap_or(reply));
        }
        let admission = admission::sender(self.ownership(), policies, transaction).await;
        if let Some(reply) = admission.noted(findings, transaction.account.as_deref()) {
            return Some(reply);
        }
        let most = self.config.limits.recipients;
        for address in recipients {
            let refusal = if transaction.recipients.len() < most {
                let admission =
                    admission::recipient(self.ownership(), policies, transaction, address).await;
                admission.noted(findings, transaction.account.as_deref())
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

    /// From DATA to its end.
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
                    fate: Fate::Refused(reply),
                    message,
                    facts: None,
                    findings,
                };
            }
        };
        let arrival = Arrival {
            origin: &self.origin,
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

    /// The message as the session would have repaired it, if it has to be.
    ///
    /// # Errors
    /// Why it would not reach the policies.
    fn receive(&self, message: &Message) -> Result<Option<(Message, Box<Repairs>)>, Reply> {
        // It was read from memory, so it can be read again.
        let Ok(octets) = message.to_bytes() else {
            return Ok(None);
        };
        let limits = self.config.limits.session(self.config.repair);
        wire::receive(&octets, limits)
    }
}

/// Asks where those go who get the message.
async fn routes(
    policies: &Pinned,
    transaction: &Transaction,
    fate: &Fate,
    findings: &mut Findings,
) -> Vec<(Address, Routing)> {
    let Fate::Kept { recipients, .. } = fate else {
        return Vec::new();
    };
    let mut routes = Vec::new();
    for (address, lot) in recipients {
        if *lot != Lot::Delivered {
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

/// Whether a client would have to announce SMTPUTF8 for these addresses (RFC 6531 section 3.4).
fn is_international(transaction: &Transaction) -> bool {
    let sender = transaction.reverse_path.address().into_iter();
    let mut addresses = sender.chain(&transaction.recipients);
    !addresses.all(Address::is_ascii)
}
