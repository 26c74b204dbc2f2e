//! Recording of one transaction for replay, if it is in the sample.

use std::sync::Arc;

use gatepost_message::TransactionId;
use gatepost_model::Transaction;
use gatepost_policy::Pinned;
use gatepost_record::{ChainRecorder, PolicyRecord, RecordedConnect, RecordedEnd, watching};
use gatepost_smtp::Reply;

/// Recorder of a transaction, or none where nothing is recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording(Option<(Arc<PolicyRecord>, Arc<ChainRecorder>)>);

impl Recording {
    /// Begins, on a connection about which the connect hooks were asked.
    pub(crate) fn begin(
        record: Option<&Arc<PolicyRecord>>,
        id: TransactionId,
        connect: Option<&RecordedConnect>,
    ) -> Self {
        let begun = record.and_then(|record| {
            let recorder = record.begin(id, connect)?;
            Some((Arc::clone(record), recorder))
        });
        Self(begun)
    }

    /// Has the recorder watch these policies.
    pub(crate) fn watch(&self, policies: Pinned) -> Pinned {
        match &self.0 {
            Some((_, recorder)) => policies.watched_by(watching(recorder)),
            None => policies,
        }
    }

    /// Returns what the connect hooks were asked, if they were.
    pub(crate) fn connect(&self) -> Option<RecordedConnect> {
        self.0.as_ref()?.1.connect()
    }

    /// Keeps the entry of a transaction that has ended.
    pub(crate) fn end(
        &self,
        transaction: Transaction,
        refused_by_relay: Option<Reply>,
        verdict: &'static str,
        reply: Option<Reply>,
    ) {
        let Some((record, recorder)) = &self.0 else {
            return;
        };
        let entry = recorder.transaction(RecordedEnd {
            transaction,
            refused_by_relay,
            verdict,
            reply,
        });
        if let Some(entry) = entry {
            record.keep(entry);
        }
    }

    /// Returns true if the transaction is recorded.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }
}
