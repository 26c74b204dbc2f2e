//! Page behind a link that shows the secret of a credential once.
//!
//! `gatepost credential hand-over` makes a link with a token. Whoever opens it gets a page with a
//! button, and the button shows the secret and takes the link back. Opening alone shows nothing:
//! gateways and mail programs open links to look behind them. The store has neither the secret nor
//! the token ([`HandoverToken`](gatepost_directory::HandoverToken)).
//!
//! The same server has the attachments of messages that are on their way to the application
//! ([`AttachmentLink`](gatepost_application::AttachmentLink)), until the application has answered.
//!
//! The page is for strangers on the Internet, so everything about it is bounded: connections in
//! number and in time, requests in size, and requests of one network in a minute. No token and no
//! secret is logged, and browsers are told to keep nothing and to tell nobody.
//!
//! Metrics: `gatepost_handover_requests_total{answer}`,
//! `gatepost_connections_refused_total{listener="handover"}`.

#![forbid(unsafe_code)]

mod answer;
mod attachment;
mod page;
mod rate;
mod serve;

pub use serve::HandoverServer;

/// Path in front of the token.
pub const PATH: &str = "/handover/";
