//! Guard over destinations that others name: the host of a feed that a customer has set, the MX of
//! a stranger's domain, the server of a policy for mail.
//!
//! Such a name may lead into the relay's own network: to a service on this machine, to the metadata
//! of a cloud, to a neighbour. [`Guard::resolve`] asks the relay's own resolver, refuses every
//! address that is not publicly routed, and returns the others. The caller connects to these and
//! resolves nothing again: a second answer could be another one. Networks that the operator allows
//! are let through.
//!
//! An address in another spelling (`0x7f.1`, `2130706433`, `[::1]`) is read as the address that it
//! stands for, and checked like any other ([`Host`]).

#![forbid(unsafe_code)]

mod guard;
mod host;
mod networks;
mod order;

pub use guard::{Guard, NotReachable};
pub use host::Host;
pub use networks::special_use;
pub use order::preferred_first;
