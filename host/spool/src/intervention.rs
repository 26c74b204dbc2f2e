//! An operator's commands for recipients of the queue.

use gatepost_message::Millis;

use crate::{RecipientState, Status};

/// An operator's command for recipients.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Intervention {
    Retry(Millis),
    Cancel(Millis),
    Hold,
    Release(Millis),
}

impl Intervention {
    /// Returns the states of recipients that it applies to.
    pub(crate) fn from(self) -> &'static [Status] {
        match self {
            Self::Retry(_) | Self::Hold => &[Status::Queued],
            Self::Cancel(_) => &[Status::Queued, Status::Held],
            Self::Release(_) => &[Status::Held],
        }
    }

    /// Returns the state that it leads to.
    pub(crate) fn state(self) -> RecipientState {
        match self {
            Self::Retry(now) | Self::Release(now) => RecipientState::Queued { next_attempt: now },
            Self::Cancel(_) => RecipientState::Cancelled,
            Self::Hold => RecipientState::Held,
        }
    }

    /// Returns the time at which the recipients are due then.
    pub(crate) fn due(self) -> Option<Millis> {
        match self {
            Self::Retry(now) | Self::Release(now) => Some(now),
            Self::Cancel(_) | Self::Hold => None,
        }
    }

    /// Returns true if it applies to a recipient in that state.
    pub(crate) fn applies_to(self, status: Status) -> bool {
        self.from().contains(&status)
    }

    /// Returns true if it would apply to a recipient, were that one not being attempted.
    pub(crate) fn is_stopped_by(self, status: Status) -> bool {
        status == Status::Leased && self.means_leased()
    }

    /// Returns true if the command would apply to recipients that are being attempted.
    pub(crate) fn means_leased(self) -> bool {
        !matches!(self, Self::Release(_))
    }
}
