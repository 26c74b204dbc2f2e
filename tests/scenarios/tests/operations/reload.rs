//! `gatepost reload` puts a changed configuration in use while mail flows: all of it, or nothing.

mod accounts;
mod certificate;
mod chains;
mod delivery;
mod limits;
mod listeners;
mod log_level;
mod otlp;
mod refused;
mod sessions_live_on;
mod shown;
mod store_option;
mod times;

use std::net::SocketAddr;

use serde_json::Value;

/// The keys that a reload has changed.
fn changed(reloaded: &Value) -> Vec<&str> {
    let changes = reloaded["changes"].as_array().unwrap().iter();
    changes
        .map(|change| change["key"].as_str().unwrap())
        // Each time that a test writes its configuration it makes a certificate.
        .filter(|key| !key.starts_with("file "))
        .collect()
}

/// Returns the address of a listener after a reload.
fn listening(reloaded: &Value, name: &str) -> SocketAddr {
    let address = reloaded["listening"][name].as_str();
    address
        .unwrap_or_else(|| panic!("{reloaded}"))
        .parse()
        .unwrap()
}
