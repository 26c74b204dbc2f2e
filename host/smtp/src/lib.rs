//! SMTP (RFC 5321) without I/O: what a server and a client say, when, and what they refuse.
//!
//! Nothing in here opens a socket, waits or looks at a clock. A session is handed the bytes that
//! came, and asked again and again what is to be done next: send these bytes, start TLS, answer
//! this question, take this piece of a message, wait for more. So every rule of the protocol can
//! be tested byte by byte in memory, and the part that does touch the network stays thin.
//!
//! - [`server`]: the side that receives. It knows the protocol and its limits; whether a client,
//!   a sender, a recipient or a message is welcome it asks its owner.
//! - [`client`]: the side that hands mail to the next hop.
//! - [`Reply`] and [`EnhancedCode`]: what one says to the other.
//! - [`dsn`]: what an envelope asks for in the way of notifications.
//! - [`proxy`]: the PROXY protocol's header, which precedes SMTP behind a load balancer.
#![forbid(unsafe_code)]

pub mod client;
pub mod dsn;
pub mod proxy;
mod reply;
pub mod server;

pub use reply::{EnhancedCode, Reply, ReplyError};
