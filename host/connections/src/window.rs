//! Counts of what a connection, or a mailbox of it, sent within the last minute and the last day.

use std::collections::VecDeque;
use std::time::Duration;

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

use crate::ConnectionLimits;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: u64 = 60 * 60 * 1_000;
const HOURS_OF_A_DAY: u64 = 24;

/// Messages and recipients sent lately.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SentWindow {
    /// Times of the messages of the last minute; not stored.
    #[serde(skip)]
    minute: VecDeque<Millis>,
    /// Counts of the last day, by the hour.
    hours: VecDeque<HourCount>,
}

/// Counts of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct HourCount {
    /// Number of the hour since 1970.
    hour: u64,
    messages: u32,
    recipients: u32,
}

impl SentWindow {
    /// Returns the earliest time at which a message with this many recipients may leave; `None` for
    /// now.
    pub(crate) fn wait(
        &self,
        limits: &ConnectionLimits,
        recipients: u32,
        now: Millis,
    ) -> Option<Millis> {
        let minute = limits.messages_a_minute.and_then(|most| {
            let recent = self
                .minute
                .iter()
                .rev()
                .nth(most.saturating_sub(1) as usize)?;
            let free = *recent + MINUTE;
            (free > now).then_some(free)
        });
        let messages = limits
            .messages_a_day
            .and_then(|most| self.wait_of_day(now, most, 1, |count| count.messages));
        let of_recipients = limits
            .recipients_a_day
            .and_then(|most| self.wait_of_day(now, most, recipients, |count| count.recipients));
        [minute, messages, of_recipients]
            .into_iter()
            .flatten()
            .max()
    }

    fn wait_of_day(
        &self,
        now: Millis,
        most: u32,
        more: u32,
        of: impl Fn(&HourCount) -> u32,
    ) -> Option<Millis> {
        let hour = now.0 / HOUR;
        let counted: Vec<_> = self.of_day(hour).collect();
        let mut sum: u64 = counted.iter().map(|count| u64::from(of(count))).sum();
        let mut free = None;
        for count in counted {
            // What is over the limit by itself leaves alone.
            if sum == 0 || sum + u64::from(more) <= u64::from(most) {
                break;
            }
            sum -= u64::from(of(count));
            free = Some(Millis((count.hour + HOURS_OF_A_DAY) * HOUR));
        }
        free.filter(|free| *free > now)
    }

    fn of_day(&self, hour: u64) -> impl Iterator<Item = &HourCount> {
        let counts = self.hours.iter();
        counts.filter(move |count| count.hour + HOURS_OF_A_DAY > hour)
    }

    /// Counts a message that leaves.
    pub(crate) fn count(&mut self, limits: &ConnectionLimits, recipients: u32, now: Millis) {
        if let Some(most) = limits.messages_a_minute {
            while self.minute.len() >= most.min(ConnectionLimits::MOST_A_MINUTE) as usize {
                self.minute.pop_front();
            }
            self.minute.push_back(now);
        }
        let hour = now.0 / HOUR;
        self.hours
            .retain(|count| count.hour + HOURS_OF_A_DAY > hour);
        match self.hours.back_mut().filter(|count| count.hour >= hour) {
            Some(count) => {
                count.messages = count.messages.saturating_add(1);
                count.recipients = count.recipients.saturating_add(recipients);
            }
            None => self.hours.push_back(HourCount {
                hour,
                messages: 1,
                recipients,
            }),
        }
    }

    /// Returns the messages and the recipients of the last day.
    pub(crate) fn day(&self, now: Millis) -> (u64, u64) {
        self.of_day(now.0 / HOUR)
            .fold((0, 0), |(messages, recipients), count| {
                (
                    messages + u64::from(count.messages),
                    recipients + u64::from(count.recipients),
                )
            })
    }

    /// Returns the messages and the recipients of this hour by the clock.
    pub(crate) fn this_hour(&self, now: Millis) -> (u64, u64) {
        let hour = now.0 / HOUR;
        let counts = self.hours.iter().filter(|count| count.hour == hour);
        counts.fold((0, 0), |(messages, recipients), count| {
            (
                messages + u64::from(count.messages),
                recipients + u64::from(count.recipients),
            )
        })
    }

    /// Returns true if nothing of it counts any more.
    pub(crate) fn is_over(&self, now: Millis) -> bool {
        self.of_day(now.0 / HOUR).next().is_none()
            && self.minute.back().is_none_or(|last| *last + MINUTE <= now)
    }
}
