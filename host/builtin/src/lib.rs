//! The modules of the built-in policies. `build.rs` builds them from `guest/`.

#![forbid(unsafe_code)]

/// Names of the built-in policies, in alphabetical order.
pub const NAMES: [&str; 5] = [
    "header-guard",
    "inbound-auth",
    "loop-guard",
    "outbound-route",
    "partner-guard",
];

/// Returns the core WebAssembly module of this name, as `gatepost policy export` writes it.
pub fn module(name: &str) -> Option<&'static [u8]> {
    Some(match name {
        "header-guard" => include_bytes!(env!("GATEPOST_HEADER_GUARD")),
        "inbound-auth" => include_bytes!(env!("GATEPOST_INBOUND_AUTH")),
        "loop-guard" => include_bytes!(env!("GATEPOST_LOOP_GUARD")),
        "outbound-route" => include_bytes!(env!("GATEPOST_OUTBOUND_ROUTE")),
        "partner-guard" => include_bytes!(env!("GATEPOST_PARTNER_GUARD")),
        _ => return None,
    })
}
