//! Attempts to hand a probe to a server.

use gatepost_directory::ProbeId;
use gatepost_message::{Message, Millis, TransactionId};
use gatepost_model::{AttemptResult, Destination, Ending};
use gatepost_verification::{AttemptVerdict, judge_attempt};

use crate::record::ProbeRecord;
use crate::settle::ProbeFinding;
use crate::{Probes, of_transaction};

impl Probes {
    /// Takes note of the result of an attempt at the probe of this transaction. `sent` is the message
    /// as it travelled.
    pub async fn attempted(
        &self,
        transaction: TransactionId,
        destination: Option<&Destination>,
        result: &AttemptResult,
        sent: Option<&Message>,
    ) {
        let view = self.stores.directory.view();
        let Some(probe) = of_transaction(&view, transaction) else {
            return;
        };
        // Its time is over: what was heard last says more than that.
        if result.ending == Ending::Expired {
            return;
        }
        let id = probe.id.clone();
        let profile = self.profile(destination);
        match judge_attempt(&profile, result) {
            AttemptVerdict::Accepted => {
                let sent = sent.cloned();
                self.note(&id, move |record| {
                    record.accepted = Some(Millis::now());
                    record.last = None;
                    if let Some(sent) = &sent {
                        record.sent.left_as(sent);
                    }
                })
                .await;
            }
            AttemptVerdict::Waiting(failure) => {
                self.note(&id, |record| record.last = Some(failure)).await;
            }
            AttemptVerdict::Failed(failure) => {
                let at_smart_host = matches!(destination, Some(Destination::Connection { .. }));
                let finding = ProbeFinding::lost(failure, at_smart_host);
                if let Err(error) = self.settle(&id, finding).await {
                    tracing::error!(%error, probe = %id, "a failed probe cannot be recorded");
                }
            }
        }
    }

    /// Changes the record of a probe that is on its way.
    pub(crate) async fn note(
        &self,
        id: &ProbeId,
        change: impl FnOnce(&mut ProbeRecord) + Send + 'static,
    ) {
        let noted = id.clone();
        let changed = self.change(move |directory| {
            directory.change_probe(&noted, |probe| {
                if let Some(mut record) = ProbeRecord::of(probe) {
                    change(&mut record);
                    record.put(probe);
                }
            })
        });
        if let Err(error) = changed.await {
            tracing::error!(%error, probe = %id, "what became of a probe cannot be recorded");
        }
    }
}
