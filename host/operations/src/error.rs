//! Errors of operations, and how errors of the crates below become such.

use gatepost_connections::StandingError;
use gatepost_spool::SpoolError;
use gatepost_trace::TraceError;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use tokio::task::JoinError;

use crate::code::{Code, ErrorKind};

/// Error of an operation. As JSON it has the kind and what to do, too.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, thiserror::Error, schemars::JsonSchema)]
#[error("{message}")]
pub struct OperationError {
    /// Stable code.
    pub code: Code,
    /// Sentence for people: what is wrong, and mostly what to do.
    pub message: String,
}

impl OperationError {
    /// Makes an error of a code and a sentence.
    pub fn new(code: Code, message: impl ToString) -> Self {
        let message = message.to_string();
        Self { code, message }
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.code.kind()
    }
}

impl Serialize for OperationError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("OperationError", 4)?;
        error.serialize_field("kind", self.kind().word())?;
        error.serialize_field("code", &self.code)?;
        error.serialize_field("message", &self.message)?;
        error.serialize_field("what-to-do", self.code.what_to_do())?;
        error.end()
    }
}

impl From<SpoolError> for OperationError {
    fn from(error: SpoolError) -> Self {
        let code = match error {
            SpoolError::Full { .. } => Code::StoreFull,
            SpoolError::Closed => Code::StoreClosed,
            SpoolError::Corrupt(_) | SpoolError::Damaged { .. } => Code::StoreDamaged,
            _ => Code::StoreFailed,
        };
        Self::new(code, error)
    }
}

impl From<TraceError> for OperationError {
    fn from(error: TraceError) -> Self {
        let code = match error {
            TraceError::Closed => Code::StoreClosed,
            TraceError::Damaged { .. } => Code::StoreDamaged,
            _ => Code::StoreFailed,
        };
        Self::new(code, error)
    }
}

impl From<StandingError> for OperationError {
    fn from(error: StandingError) -> Self {
        Self::new(Code::StoreFailed, error)
    }
}

/// A task that did the work has panicked.
impl From<JoinError> for OperationError {
    fn from(error: JoinError) -> Self {
        Self::new(Code::Internal, error)
    }
}
