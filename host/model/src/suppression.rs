//! The suppression list: addresses to which an account sends nothing any more.

use gatepost_message::{Address, CanonicalAddress, Millis, TransactionId};
use serde::{Deserialize, Serialize};

/// Entry of an account's suppression list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Suppression {
    /// Account.
    pub account: String,
    /// Address in canonical form.
    pub address: String,
    /// Cause.
    pub cause: SuppressionCause,
    /// Reply or report that shows it, or the operator's words; at most [`LONGEST_EVIDENCE`] octets.
    ///
    /// [`LONGEST_EVIDENCE`]: Suppression::LONGEST_EVIDENCE
    pub evidence: String,
    /// Time of the latest evidence.
    pub at: Millis,
    /// Message whose reply or report is the evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<TransactionId>,
    /// Number of bounces that were counted.
    pub count: u32,
}

impl Suppression {
    /// Most octets of evidence.
    pub const LONGEST_EVIDENCE: usize = 512;

    /// Most bounces of an address that are counted.
    pub const MOST_COUNTED: u32 = 1000;

    /// Most octets of an address, in canonical form.
    pub const LONGEST_ADDRESS: usize = 512;

    /// Returns the form in which a list has an address. It keeps the sub-address: a server that
    /// knows no `bob+news@` says nothing of `bob@`.
    pub fn key(address: &Address) -> String {
        CanonicalAddress::spelled(address).to_string()
    }

    /// Returns the entry with each text cut to its bound; `None` if the address is too long to be
    /// one.
    pub fn bounded(mut self) -> Option<Self> {
        let end = (self.evidence).floor_char_boundary(Self::LONGEST_EVIDENCE);
        self.evidence.truncate(end);
        (self.address.len() <= Self::LONGEST_ADDRESS).then_some(self)
    }
}

/// Cause of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressionCause {
    /// None yet: bounces are counted, and mail is still sent.
    Counting,
    /// A server said that there is no such mailbox.
    HardBounce,
    /// Servers refused for now too often.
    SoftBounces,
    /// The recipient complained.
    Complaint,
    /// An operator's command.
    Operator,
    /// An imported list.
    Import,
}

impl SuppressionCause {
    /// All causes.
    pub const ALL: [Self; 6] = [
        Self::Counting,
        Self::HardBounce,
        Self::SoftBounces,
        Self::Complaint,
        Self::Operator,
        Self::Import,
    ];

    /// Returns the word for it in JSON, in the store and in commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counting => "counting",
            Self::HardBounce => "hard-bounce",
            Self::SoftBounces => "soft-bounces",
            Self::Complaint => "complaint",
            Self::Operator => "operator",
            Self::Import => "import",
        }
    }

    /// Returns the cause for its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.word() == word)
    }

    /// Returns the cause after so many failures that may pass, of which this number suppresses.
    pub fn of_count(count: u32, limit: u32) -> Self {
        match count >= limit {
            true => Self::SoftBounces,
            false => Self::Counting,
        }
    }

    /// Returns true if nothing is sent to the address.
    pub fn suppresses(self) -> bool {
        self != Self::Counting
    }

    /// Returns true if a person put the address on the list: it leaves the list by a person only.
    pub fn is_by_hand(self) -> bool {
        matches!(self, Self::Operator | Self::Import)
    }
}

/// Change to a suppression list that comes with a message or a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressionChange {
    /// Suppress the address, unless it is suppressed already.
    Suppress(Suppression),
    /// Count a bounce that may pass, with those since a time; at the limit the address is suppressed, with
    /// [`SuppressionCause::SoftBounces`].
    Count {
        /// Entry, with the cause [`SuppressionCause::Counting`] and the count 1.
        entry: Suppression,
        /// Number of bounces that suppresses the address.
        limit: u32,
        /// Begin of the time in which they count.
        #[serde(default)]
        since: Millis,
    },
    /// Forget the bounces that were counted: mail was delivered. A suppressed address stays so.
    Delivered {
        /// Account.
        account: String,
        /// Address in canonical form.
        address: String,
    },
}

impl SuppressionChange {
    /// Returns account and address.
    pub fn key(&self) -> (&str, &str) {
        match self {
            Self::Suppress(entry) | Self::Count { entry, .. } => (&entry.account, &entry.address),
            Self::Delivered { account, address } => (account, address),
        }
    }
}
