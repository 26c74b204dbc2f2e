//! Values of a fixture, as a policy meets them natively.

use gatepost_fixture::Fixture;

use super::Given;
use crate::queued::{MetadataItem, Queued, TriedStep};
use crate::{Facts, Level, Machine, Message, Outcome, Reply};

/// Message as the relay would hand it to a policy. A body that cannot be read counts as empty.
///
/// ```
/// use gatepost_sdk::Message;
///
/// let stored = gatepost_message::Message::from_stored(b"Subject: s\n\nHello\n");
/// let message = gatepost_sdk::native::Mail(&stored);
/// assert_eq!(message.header("subject").as_deref(), Some("s"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Mail<'a>(pub &'a gatepost_message::Message);

impl Message for Mail<'_> {
    fn header(&self, name: &str) -> Option<String> {
        self.section().header(name)
    }
    fn headers_named(&self, name: &str) -> Vec<String> {
        self.section().headers_named(name)
    }
    fn count(&self, name: &str) -> u32 {
        self.section().count(name)
    }
    fn headers(&self) -> Vec<(String, String)> {
        self.section().headers()
    }
    fn header_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        let head = self.0.head();
        let begin = usize::try_from(offset).map_or(head.len(), |at| at.min(head.len()));
        let end = begin.saturating_add(length as usize).min(head.len());
        head[begin..end].to_vec()
    }
    fn header_size(&self) -> u64 {
        self.0.head().len() as u64
    }
    fn body_size(&self) -> u64 {
        self.0.body().len()
    }
    fn body_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        let body = self.0.body();
        let left = body.len().saturating_sub(offset).min(u64::from(length));
        let mut chunk = vec![0; usize::try_from(left).unwrap_or_default()];
        let read = body.read_at(offset, &mut chunk).unwrap_or_default();
        chunk.truncate(read);
        chunk
    }
}

/// Look-ups of a fixture's policy. Log lines go to standard error.
pub(super) struct FixtureFacts<'a>(pub(super) &'a Fixture);

impl Facts for FixtureFacts<'_> {
    fn now(&self) -> u64 {
        self.0.now.0
    }
    fn counted(&self, key: &str, seconds: u32) -> u64 {
        self.0.memory.counted(&crate::bounds::key(key), seconds)
    }
    fn seen(&self, key: &str) -> bool {
        self.0
            .memory
            .seen
            .contains(crate::bounds::key(key).as_ref())
    }
    fn log(&self, level: Level, text: &str) {
        eprintln!("{level:?} {text}");
    }
}

fn queued(fixture: &Fixture, message: &gatepost_message::Message) -> Queued {
    let told = &fixture.queued;
    let metadata = told.metadata.iter().map(|(name, value)| MetadataItem {
        name: name.clone(),
        value: value.clone(),
    });
    let steps_tried = told.steps_tried.iter().map(|tried| TriedStep {
        step: tried.step.clone(),
        failures: tried.failures,
        since: tried.since.0,
    });
    let reply = |told: &gatepost_fixture::LastReply| Reply {
        code: told.code,
        enhanced: told.enhanced.clone(),
        text: told.text.clone(),
    };
    Queued {
        attempt_time: fixture.now.0,
        accepted: fixture.accepted().0,
        expires: fixture.expires().0,
        message: message.clone(),
        tags: told.tags.clone(),
        class: told.class,
        metadata: metadata.collect(),
        last_reply: told.last_reply.as_ref().map(reply),
        steps_tried: steps_tried.collect(),
    }
}

/// Returns the values that a fixture gives to its policy.
pub(super) fn given(fixture: &Fixture, message: &gatepost_message::Message) -> Given {
    let facts = fixture.facts(message);
    let dmarc = &facts.dmarc;
    let aligned = dmarc.spf_aligned || dmarc.dkim_aligned;
    let machines = fixture.directory.machines.iter();
    let machines = machines.map(|(address, evidence)| {
        let machine = Machine {
            evidence: evidence.clone(),
            since: fixture.now.0,
            until: fixture.now.0 + gatepost_fixture::Directory::MACHINE_FOR,
        };
        (crate::canonical(address), machine)
    });
    Given {
        author_is_proved: Some(dmarc.result == Outcome::Pass || aligned),
        machines: machines.collect(),
        authentication: facts,
        directory: fixture.directory.clone(),
        identity: fixture.identity.clone(),
        user: fixture.user.clone(),
        flow: fixture.direction,
        client: fixture.client(),
        mail_from: fixture.reverse_path().as_str().to_owned(),
        queued: queued(fixture, message),
    }
}
