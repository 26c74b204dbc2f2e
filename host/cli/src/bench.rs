//! `gatepost policy bench`: the cost of each hook of one policy, measured on a folder of messages.
//!
//! The module runs in the sandbox, alone and one call after another. Everything that it can look up
//! is the same in each run: fixed time, transaction and client; the built-in configuration; no
//! counts, marks and DNS, and the message itself as the source of its envelope. Each message is
//! judged twice: once under observation, which counts calls of the host, and once for the time.
//! One message is in memory at a time.

mod figures;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use gatepost_authentication::Facts;
use gatepost_config::Config;
use gatepost_directory::View;
use gatepost_fixture::Fixture;
use gatepost_intake::look_ups::AccountView;
use gatepost_intake::ownership::Ownership;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{
    AttemptResult, AttemptStage, Ending, Flow, Judgement, Queued, Session, Transaction, Transport,
};
use gatepost_policy::observation::count;
use gatepost_policy::{
    Chain, Definition, Engine, Grants, Hook, LoadError, NoMemory, Pinned, PolicyContext, Slot,
    Version,
};
use gatepost_smtp::Reply;

pub(crate) use self::figures::{Figures, HookFigures};
use crate::check::envelope;

/// Time of every transaction: the beginning of 2026.
const NOW: Millis = Millis(1_767_225_600_000);

/// Address of every client, of a network for documentation (RFC 5737).
const CLIENT: ([u8; 4], u16) = ([192, 0, 2, 1], Fixture::PORT);

/// Bench of one policy.
pub(crate) struct PolicyBench {
    version: Version,
    config: Arc<Config>,
    directory: Arc<View>,
    figures: Figures,
}

impl PolicyBench {
    /// Loads the module with these settings. It has every grant.
    ///
    /// # Errors
    /// The module or its settings are refused.
    pub(crate) async fn new(
        engine: &Arc<Engine>,
        name: &str,
        module: Bytes,
        settings: serde_json::Value,
    ) -> Result<Self, LoadError> {
        let definition = Definition {
            settings,
            grants: Grants {
                discard: true,
                next_hop: true,
            },
            ..Definition::new(name)
        };
        let version = engine.load(definition, module).await?;
        Ok(Self {
            figures: Figures::new(version.hooks()),
            version,
            config: Arc::new(Config::builtin()),
            directory: Arc::new(View::empty()),
        })
    }

    /// Calls every hook on a message, twice.
    pub(crate) async fn measure(&mut self, message: &Message) {
        let case = BenchCase::new(message, &self.config, &self.directory);
        let (_, observed) = count(case.judge(&self.pinned(), self.version.hooks())).await;
        for call in &observed {
            self.figures.add_observed(call);
        }
        for judgement in case.judge(&self.pinned(), self.version.hooks()).await {
            self.figures.add_timed(&judgement);
        }
    }

    /// Returns the figures so far.
    pub(crate) fn into_figures(self) -> Figures {
        self.figures
    }

    /// Returns a chain of the policy alone that remembers no faults of earlier messages.
    fn pinned(&self) -> Pinned {
        let known = AccountView {
            config: Arc::clone(&self.config),
            directory: Arc::clone(&self.directory),
        };
        let look_ups: PolicyContext = known.policy_context(Arc::new(NoMemory));
        Chain::new([Slot::new(self.version.unburdened())]).begin(look_ups)
    }
}

/// One message with its circumstances.
struct BenchCase {
    transaction: Transaction,
    message: Message,
    facts: Arc<Facts>,
    queued: Arc<Queued>,
}

impl BenchCase {
    fn new(message: &Message, config: &Config, directory: &View) -> Self {
        let ownership = Ownership { config, directory };
        let recipients = envelope::recipients(message, ownership, true);
        let message = envelope::without_delivery_mark(message.clone(), &recipients);
        let reverse_path = envelope::reverse_path(&message);
        let owner = recipients.first().map(Address::domain);
        let account = owner.and_then(|domain| config.account_of_domain(domain));
        Self {
            facts: Arc::new(facts(&message, &reverse_path)),
            queued: Arc::new(Queued {
                attempt_time: NOW,
                accepted: NOW,
                expires: NOW + config.delivery.expiry,
                message: message.clone(),
                tags: Vec::new(),
                class: None,
                metadata: Vec::new(),
                last_reply: None,
                steps_tried: Vec::new(),
            }),
            transaction: Transaction {
                id: Fixture::ID.parse().unwrap_or_else(|_| TransactionId::new()),
                time: NOW,
                session: Session {
                    listener: "bench".to_owned(),
                    flow: Flow::Inbound,
                    transport: Transport::Smtp,
                    client: Some(CLIENT.into()),
                    helo: Some("client.example".to_owned()),
                    tls: None,
                    user: None,
                },
                account: account.map(|account| account.id.clone()),
                reverse_path,
                recipients,
            },
            message,
        }
    }

    /// Calls these hooks, whatever each of them says.
    async fn judge(&self, policy: &Pinned, hooks: &[Hook]) -> Vec<Judgement> {
        let Self {
            transaction,
            message,
            facts,
            queued,
        } = self;
        let mut judgements = Vec::new();
        for hook in hooks {
            match hook {
                Hook::Connect => {
                    let session = Session {
                        helo: None,
                        ..transaction.session.clone()
                    };
                    judgements.extend(policy.connect(&session, NOW).await.judgements);
                }
                Hook::Sender => judgements.extend(policy.sender(transaction).await.judgements),
                Hook::Recipient => {
                    for recipient in &transaction.recipients {
                        let ruling = policy.recipient(transaction, recipient).await;
                        judgements.extend(ruling.judgements);
                    }
                }
                Hook::Message => {
                    let findings = Default::default();
                    let ruling = policy
                        .message(transaction, message.clone(), Some(facts), findings)
                        .await;
                    judgements.extend(ruling.findings.judgements);
                }
                Hook::Route => {
                    for recipient in &transaction.recipients {
                        let ruling = policy.route(transaction, recipient, 0, queued).await;
                        judgements.extend(ruling.judgements);
                    }
                }
                Hook::Outcome => {
                    for recipient in &transaction.recipients {
                        let result = Arc::new(delivered(recipient));
                        let ruling = policy.outcome(transaction, &result, queued).await;
                        judgements.extend(ruling.judgements);
                    }
                }
            }
        }
        judgements
    }
}

/// Returns the facts of a message of unknown origin: nothing was checked, and From is read.
fn facts(message: &Message, reverse_path: &ReversePath) -> Facts {
    // A text of JSON is one of TOML, too.
    let sender = serde_json::Value::from(reverse_path.as_str());
    let fixture = format!("mail-from = {sender}\nrcpt-to = [\"help@desk.example\"]\n");
    // A reverse-path that no fixture can have costs the reading of From.
    Fixture::parse(&fixture).map_or_else(
        |_| Facts::default(),
        |fixture| fixture.facts(message).into(),
    )
}

fn delivered(recipient: &Address) -> AttemptResult {
    AttemptResult {
        recipient: recipient.clone(),
        ending: Ending::Delivered,
        stage: AttemptStage::Message,
        reply: Reply::new(250, "2.0.0", "taken"),
        step: Some("mx".to_owned()),
        server: Some("mx.example:25".to_owned()),
        tls: None,
        sent_as: None,
        message_id: None,
    }
}

/// Returns the messages of a folder, by name.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn corpus(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "eml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_author_of_a_message_is_known_and_nothing_is_proved() {
        let message = Message::from_bytes("From: Ann <ann@author.example>\r\n\r\n".into());
        for sender in [
            ReversePath::Null,
            "\"a\\\"b\"@sender.example".parse().unwrap(),
        ] {
            let facts = facts(&message, &sender);
            assert_eq!(facts.dmarc.domain, "author.example");
            assert_eq!(facts.authors.len(), 1);
            assert!(facts.dkim.is_empty());
        }
    }
}
