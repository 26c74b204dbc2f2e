//! Trials of connections: a session is opened and ended, and nothing is sent.

use std::sync::Arc;

use gatepost_connections::{DialogueStage, FoundConnection, Serves};
use gatepost_delivery::open::{OpeningFailure, Speaker, Transcript, try_opening};
use gatepost_delivery::{FindServers as _, NoSession, OpeningTerms};
use gatepost_message::Address;
use gatepost_smtp::Reply;
use parking_lot::Mutex;

use super::connection::{stage_of_opening, words_of};
use super::{Unusable, Ways};

/// Most lines of a dialogue that are kept.
const MOST_LINES: usize = 200;

/// Session that was opened for a trial, or was not.
#[derive(Debug)]
pub struct Trial {
    /// Lines of the dialogue: `>` before the relay's, `<` before the server's; secrets are masked.
    pub dialogue: Vec<String>,
    /// Refusal, if it was not opened.
    pub refusal: Option<TrialRefusal>,
}

/// Refusal of a session.
#[derive(Debug)]
pub struct TrialRefusal {
    /// Stage.
    pub stage: DialogueStage,
    /// Reply of the server, if it answered.
    pub reply: Option<Reply>,
    /// Words for operators, where there is no reply.
    pub words: String,
    /// True if nothing but a change will help.
    pub is_permanent: bool,
}

impl Ways {
    /// Opens a session by a connection, up to its log-in, and ends it.
    pub async fn try_connection(&self, found: &FoundConnection, terms: &OpeningTerms) -> Trial {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let refusal = self.session(found, terms, &heard).await.err();
        let dialogue = std::mem::take(&mut *heard.lock());
        Trial { dialogue, refusal }
    }

    async fn session(
        &self,
        found: &FoundConnection,
        terms: &OpeningTerms,
        heard: &Arc<Mutex<Vec<String>>>,
    ) -> Result<(), TrialRefusal> {
        let sender = sender(found);
        let (server, _) = self
            .server(found, sender.as_ref())
            .map_err(|why| match why {
                Unusable::For(reply) => not_begun(reply),
                Unusable::Connection(why) => refused(*why),
            })?;
        let openings = server.find(terms).await.map_err(|why| match why {
            NoSession::NoServer(reply) => not_begun(reply),
            NoSession::NotOpened(why) => refused(why),
        });
        for mut opening in openings? {
            let heard = Arc::clone(heard);
            opening.transcript = Some(Transcript::new(move |speaker, line| {
                let mut lines = heard.lock();
                if lines.len() < MOST_LINES {
                    let mark = match speaker {
                        Speaker::Relay => '>',
                        Speaker::Server => '<',
                    };
                    lines.push(format!("{mark} {line}"));
                }
            }));
            try_opening(&opening).await.map_err(refused)?;
        }
        Ok(())
    }
}

/// Returns a sender that a connection serves: some servers have each mailbox log in by itself.
fn sender(found: &FoundConnection) -> Option<Address> {
    found.connection.serves.iter().find_map(|one| match one {
        Serves::Address(address) => Some(address.clone()),
        Serves::Domain(domain) => Address::parse(&format!("postmaster@{}", domain.as_str())).ok(),
        Serves::Brand(_) => None,
    })
}

/// Makes the refusal of a session for which the relay has no server, or no credential.
fn not_begun(reply: Reply) -> TrialRefusal {
    TrialRefusal {
        stage: DialogueStage::Connect,
        words: reply.text().to_string(),
        reply: None,
        is_permanent: false,
    }
}

fn refused(why: OpeningFailure) -> TrialRefusal {
    TrialRefusal {
        stage: stage_of_opening(why.stage),
        words: words_of(&why),
        is_permanent: why.permanent,
        reply: why.reply,
    }
}
