//! SMTP (RFC 5321) without I/O: state machines for the server's and the client's side.
//!
//! Nothing in here opens a socket, waits or looks at a clock. The owner of a session feeds it the
//! bytes that came, and asks it again and again for the next event: send these bytes, start TLS,
//! answer this question, take this piece of a message, wait for more. So every rule of the
//! protocol can be tested byte by byte in memory, and the code that touches the network stays thin.
//!
//! - [`server`]: the side that receives. It knows the protocol and its limits, and asks its owner
//!   whether to accept a client, a sender, a recipient or a message.
//! - [`client`]: the side that hands mail to the next hop.
//! - [`Reply`] and [`EnhancedCode`]: the replies of a server.
//! - [`RecipientFailure`]: the meaning of a refusal for later mail to the same recipient.
//! - [`dsn`]: requests for delivery status notifications in an envelope.
//! - [`proxy`]: the header of the PROXY protocol, which a load balancer sends before SMTP.
#![forbid(unsafe_code)]

pub mod client;
pub mod dsn;
pub mod proxy;
mod recipient_failure;
mod reply;
pub mod server;

pub use recipient_failure::RecipientFailure;
pub use reply::{EnhancedCode, Reply, ReplyError, tells_of_greylisting};
