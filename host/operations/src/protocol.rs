//! Requests of operators, and their responses.

use gatepost_message::Domain;
use gatepost_trace::Counted;
use serde::{Deserialize, Serialize};

use super::directory::{DirectoryRequest, DirectoryResponse};
use super::partners::{PartnerRequest, PartnerResponse};

/// Request of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Executes a request to the directory.
    Directory(Box<DirectoryRequest>),
    /// Executes a request about partners.
    Partners(Box<PartnerRequest>),
    /// Fetches a feed of partner addresses now.
    FeedFetch {
        /// Account by its id or native domain.
        account: String,
        /// URL of the feed.
        url: String,
    },
    /// Counts the outcomes of header fields in messages from a domain.
    HeadersOf {
        /// Domain of the messages.
        domain: Domain,
    },
}

/// Response to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Response to a request about partners.
    Partners(PartnerResponse),
    /// Outcomes of header fields, by account and field.
    Headers(Vec<Counted>),
    /// Response to a request to the directory.
    Directory(DirectoryResponse),
    /// The request was not executed: the relay starts, and is at this step.
    Starting(String),
    /// The request was not executed, for this reason.
    Failed(String),
}
