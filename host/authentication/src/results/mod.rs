//! Authentication-Results (RFC 8601): [writing](mod@write) it from the facts, and [reading](read)
//! the fields that others wrote.

pub(crate) mod read;
mod write;

pub use read::claims_authserv_id;
pub use write::Stamp;
