//! All targets.

mod addresses;
mod classification;
mod header;
mod modules;
mod next_hop;
mod proxy;
mod sasl;
mod session;
mod settings;

use crate::Target;

/// Each of them.
pub const TARGETS: [Target; 10] = [
    session::DATA,
    session::CHUNKS,
    next_hop::TARGET,
    proxy::TARGET,
    sasl::TARGET,
    header::TARGET,
    addresses::TARGET,
    classification::TARGET,
    settings::TARGET,
    modules::TARGET,
];
