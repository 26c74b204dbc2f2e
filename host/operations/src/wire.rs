//! Requests and answers as they go over the control socket, a line of JSON each.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::code::Code;
use crate::error::OperationError;
use crate::operation::Operation;

/// Version of this relay, and of the commands of the same binary.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Request as it goes over the socket.
#[derive(Debug, Serialize)]
pub(crate) struct Sent<'a, O> {
    operation: &'static str,
    /// Version of the command.
    version: &'static str,
    request: &'a O,
}

impl<'a, O: Operation> Sent<'a, O> {
    pub(crate) fn new(request: &'a O) -> Self {
        Self {
            operation: O::NAME,
            version: VERSION,
            request,
        }
    }
}

/// Request as it came over the socket.
#[derive(Debug, Deserialize)]
pub(crate) struct Received {
    /// Name of the operation.
    pub(crate) operation: String,
    /// Version of the command; absent in a request that was written by hand.
    version: Option<String>,
    /// Request of the operation; one without fields may be absent.
    #[serde(default = "no_fields")]
    request: Value,
}

fn no_fields() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Answer to a request as it goes over the socket.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reply<A> {
    /// The operation was executed.
    Answer(A),
    /// The operation was not executed.
    Error(OperationError),
}

impl Received {
    /// Returns the request of an operation.
    pub(crate) fn request<O: Operation>(self) -> Result<O, OperationError> {
        let version = self.version.as_deref();
        serde_json::from_value(self.request).map_err(|error| {
            let error = format!("not a request of {}: {error}", O::NAME);
            not_understood(Code::NotUnderstood, version, error)
        })
    }

    /// Returns the reply to a request for an operation that does not exist.
    pub(crate) fn unknown_operation(self) -> OperationError {
        let error = format!("there is no operation \"{}\"", self.operation);
        not_understood(Code::UnknownOperation, self.version.as_deref(), error)
    }
}

/// Makes the error for a request that is not understood: if it came from a command of another
/// version, that is the reason.
fn not_understood(code: Code, version: Option<&str>, error: String) -> OperationError {
    match version {
        Some(version) if version != VERSION => {
            let text = format!(
                "this command is of version {version} and the relay of version {VERSION}, which \
                 does not understand it ({error}); {}",
                Code::OtherVersion.what_to_do()
            );
            OperationError::new(Code::OtherVersion, text)
        }
        _ => OperationError::new(code, error),
    }
}
