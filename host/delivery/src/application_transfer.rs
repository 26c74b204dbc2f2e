//! The transfer of one message to the application, without SMTP.

use std::collections::HashSet;
use std::iter::repeat_with;
use std::sync::Arc;
use std::time::Duration;

use gatepost_message::{Message, Millis, ReversePath};
use gatepost_model::{AttemptStage, DestinationKey};
use gatepost_smtp::Reply;

use crate::delivery::Delivery;
use crate::in_hand::MessageInHand;
use crate::lane::LaneLimits;
use crate::route::RoutedRecipient;
use crate::settle::{AttemptReply, RecipientAttempt, Server, settle};
use crate::target::{HandOver, Handed, HandedOver, Reach};

/// Longest time for which others wait because the application has too much to do: it may have
/// asked for more in the answer to one message.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The transfer of one message to the application.
pub(crate) struct ApplicationTransfer {
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) in_hand: Arc<MessageInHand>,
    /// Message in the name in which it goes there.
    pub(crate) message: Message,
    pub(crate) reverse_path: ReversePath,
    pub(crate) way: Arc<dyn HandOver>,
    pub(crate) key: DestinationKey,
    pub(crate) lane: LaneLimits,
    /// Waits between tries, where they are not those of the settings.
    pub(crate) retry: Option<Vec<Duration>>,
}

impl ApplicationTransfer {
    /// Hands the message over for these recipients, and settles them.
    pub(crate) async fn run(self, recipients: Vec<RoutedRecipient>) {
        let claimed: Vec<_> = (recipients.iter())
            .map(|one| self.in_hand.recipient(one.index))
            .collect();
        let outcomes = self.way.hand_over(Handed {
            claim: &self.in_hand.claim,
            message: &self.message,
            reverse_path: &self.reverse_path,
            recipients: &claimed,
        });
        let outcomes = outcomes.await;
        let label = (recipients.first()).map(|one| one.route.destination.label());
        self.alarm(&outcomes, label.unwrap_or_default());
        let now = self.delivery.now();
        let again = self.pace(&outcomes, now);
        let none = || HandedOver {
            reply: Reply::new(451, "4.3.0", "the relay has no result for the recipient"),
            retry_after: None,
            alarm: None,
            reach: Reach::Unknown,
        };
        let outcomes = outcomes.into_iter().chain(repeat_with(none));
        let attempts = recipients.into_iter().zip(outcomes).map(|(routed, of)| {
            let waited = of.retry_after;
            let wait = waited.unwrap_or_else(|| self.wait(routed.route.failures));
            let (next, stage) = match of.reach {
                Reach::Down => (again, AttemptStage::Connect),
                Reach::Busy => ((now + wait).max(again), AttemptStage::Message),
                Reach::Works | Reach::Unknown => (now + wait, AttemptStage::Message),
            };
            RecipientAttempt {
                judgements: routed.judgements,
                route: Some(routed.route),
                server: Some(Server::application(&self.key)),
                ..RecipientAttempt::without_route(
                    routed.index,
                    AttemptReply::FromApplication {
                        reply: of.reply,
                        next,
                        stage,
                    },
                )
            }
        });
        settle(&self.delivery, &self.in_hand, attempts.collect()).await;
    }

    /// Returns the wait after so many earlier failures.
    fn wait(&self, failures: u32) -> Duration {
        let schedule = &self.delivery.schedule;
        match &self.retry {
            Some(own) => schedule.wait_by(own, failures),
            None => schedule.wait(failures),
        }
    }

    /// Tells the lane what the outcomes say of other mail; returns the time from which on the
    /// application gets any.
    fn pace(&self, outcomes: &[HandedOver], now: Millis) -> Millis {
        let (lanes, queue, key) = (&self.delivery.lanes, &*self.delivery.queue, &self.key);
        let found = |reach| outcomes.iter().find(|one| one.reach == reach);
        if let Some(HandedOver { reply, .. }) = found(Reach::Down) {
            let wait = |failures| self.wait(failures);
            return lanes.failed(queue, key, (self.lane, now), reply, wait);
        }
        if let Some(busy) = found(Reach::Busy) {
            let wait = busy.retry_after.unwrap_or_else(|| self.wait(0));
            let wait = wait.min(LONGEST_PAUSE);
            return lanes.throttled(queue, key, (self.lane, now), &busy.reply, wait);
        }
        if found(Reach::Works).is_some() {
            lanes.worked(queue, key, self.lane, now);
        }
        now
    }

    /// Raises an alarm for each thing that somebody has to mend.
    fn alarm(&self, outcomes: &[HandedOver], label: String) {
        let mut raised = HashSet::new();
        for (reply, alarm) in outcomes
            .iter()
            .filter_map(|one| Some((&one.reply, one.alarm.as_ref()?)))
        {
            if !raised.insert(&alarm.advice) {
                continue;
            }
            metrics::counter!(
                "gatepost_application_alarms_total", "destination" => label.clone()
            )
            .increment(1);
            tracing::error!(
                id = %self.in_hand.claim.transaction.id,
                destination = %self.key,
                %reply,
                detail = alarm.detail.as_deref(),
                "mail for the application waits: {}",
                alarm.advice
            );
        }
    }
}
