//! Authentication-Results (RFC 8601): [written](mod@write) from the facts, and [`read`] from
//! fields that others wrote.

pub(crate) mod read;
mod write;

pub use read::claims_authserv_id;
pub use write::Stamp;
