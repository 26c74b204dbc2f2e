//! A session that is opened to see whether a connection works.

use std::path::Path;
use std::sync::Arc;

use gatepost_certificates::{Trust, trusted_roots};
use gatepost_connections::{DialogueStage, FoundConnection};
use gatepost_delivery::open::{NotOpened, Speaker, Transcript, try_opening};
use gatepost_delivery::{OpeningTerms, Servers, Timeouts, Tls};
use gatepost_message::Address;
use gatepost_smtp::Reply;
use parking_lot::Mutex;

use super::{Ways, connection};

/// Most lines of a dialogue that are kept.
const LINES: usize = 200;

/// Result of a trial.
#[derive(Debug)]
pub struct Trial {
    /// Lines of the dialogue, each with who said it; secrets are masked.
    pub dialogue: Vec<String>,
    /// Failure, if no session was opened.
    pub failure: Option<TrialFailure>,
}

/// Failure to open a session.
#[derive(Debug)]
pub struct TrialFailure {
    /// Stage.
    pub stage: DialogueStage,
    /// Reply of the server, if it sent one.
    pub reply: Option<Reply>,
    /// Reason in words.
    pub words: String,
    /// True if a later try will fail in the same way.
    pub is_permanent: bool,
}

impl Ways {
    /// Opens a session through a connection and ends it by QUIT. The sender is one that it serves.
    pub async fn try_connection(&self, found: &FoundConnection) -> Trial {
        let dialogue = Arc::new(Mutex::new(Vec::new()));
        let failure = self.converse(found, &dialogue).await.err();
        let dialogue = std::mem::take(&mut *dialogue.lock());
        Trial { dialogue, failure }
    }

    async fn converse(
        &self,
        found: &FoundConnection,
        dialogue: &Arc<Mutex<Vec<String>>>,
    ) -> Result<(), TrialFailure> {
        let terms = self.terms()?;
        let sender = sender(found);
        let target = self.target_of(found.clone(), sender.as_ref());
        let Servers::Found(servers) = target.map_err(of_relay)?.servers else {
            return Ok(());
        };
        let mut openings = servers.find(&terms).await.map_err(of_relay)?;
        let Some(mut opening) = openings.pop() else {
            return Ok(());
        };
        let said = Arc::clone(dialogue);
        opening.transcript = Some(Transcript::new(move |speaker, line| {
            let mark = match speaker {
                Speaker::Relay => '>',
                Speaker::Server => '<',
            };
            let mut said = said.lock();
            if said.len() < LINES {
                said.push(format!("{mark} {line}"));
            }
        }));
        let opened = try_opening(&opening).await;
        opened.map(drop).map_err(|why: NotOpened| TrialFailure {
            stage: connection::stage_of_opening(why.stage),
            words: match &why.reason {
                Some(reason) => reason.clone(),
                None => why.deferral.text().to_string(),
            },
            reply: why.reply,
            is_permanent: why.permanent,
        })
    }

    fn terms(&self) -> Result<OpeningTerms, TrialFailure> {
        let config = Arc::clone(&self.active.load().config);
        let roots = trusted_roots(config.delivery.ca_file.as_deref().map(Path::new));
        let unusable = |why: String| of_relay(Reply::new(451, "4.3.5", why));
        let roots = roots.map_err(|error| unusable(error.to_string()))?;
        let tls = Tls::new(Trust::Roots(roots), None);
        let ehlo_name = config.relay.hostname.as_str().parse();
        Ok(OpeningTerms {
            ehlo_name: ehlo_name.map_err(|_| unusable("the host name".to_owned()))?,
            tls: tls.map_err(|error| unusable(error.to_string()))?,
            timeouts: Timeouts::default(),
        })
    }
}

/// Makes the failure of what the relay itself lacks.
fn of_relay(reply: Reply) -> TrialFailure {
    TrialFailure {
        stage: DialogueStage::Connect,
        words: reply.text().to_string(),
        is_permanent: reply.is_permanent(),
        reply: None,
    }
}

/// Returns a sender that a connection serves.
fn sender(found: &FoundConnection) -> Option<Address> {
    use gatepost_connections::Serves;
    found.connection.serves.iter().find_map(|one| match one {
        Serves::Address(address) => Some(address.clone()),
        Serves::Domain(domain) => Address::parse(&format!("postmaster@{}", domain.as_str())).ok(),
        Serves::Brand(_) => None,
    })
}
