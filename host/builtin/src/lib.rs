//! The modules of the built-in policies. `build.rs` names and builds them, from `guest/`.

#![forbid(unsafe_code)]

/// Each built-in policy with its core WebAssembly module.
const MODULES: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/modules.rs"));

/// Names of the built-in policies, in alphabetical order.
pub const NAMES: [&str; MODULES.len()] = {
    let mut names = [""; MODULES.len()];
    let mut at = 0;
    while at < MODULES.len() {
        names[at] = MODULES[at].0;
        at += 1;
    }
    names
};

/// Returns the core WebAssembly module of this name, as `gatepost policy export` writes it.
pub fn module(name: &str) -> Option<&'static [u8]> {
    let found = MODULES.iter().find(|(known, _)| *known == name);
    found.map(|(_, module)| *module)
}
