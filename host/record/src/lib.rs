//! Records of what chains of policies were asked, for replay.
//!
//! When a site says so, each transaction of a sample is [recorded](PolicyRecord): every question that
//! the chain was asked, with all that its policies could see, the answer to every look-up, and every
//! judgement ([`ChainRecorder`] notes them). So the same questions can be put to another version
//! later, and whatever it answers follows from the version alone ([`RecordReader`]).
//!
//! Entries are encrypted (module `seal`), in files that are removed as a whole by age and size
//! (module `store`).

mod body;
mod entry;
mod read;
mod recorder;
mod seal;
mod segment;
mod settings;
mod store;

pub use body::{MissingBody, without_body};
pub use entry::{
    AttemptRecord, RecordEntry, RecordedCall, RecordedConnect, RecordedEntry, RecordedFacts,
    RecordedJudgements, RecordedMessage, RecordedQueued, RecordedRecipient, RecordedResult,
    RecordedSender, TransactionRecord,
};
pub use read::RecordReader;
pub use recorder::{ChainRecorder, RecordedEnd, watching};
pub use segment::Segment;
pub use settings::RecordSettings;
pub use store::{PolicyRecord, Removal};

/// Name of the folder in the store.
pub const FOLDER: &str = "records";
