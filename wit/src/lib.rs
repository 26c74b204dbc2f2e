//! The contract in Rust. The texts beside it (`*.wit`) say what policies and relay hand to each
//! other; here stand its records, once, for all who speak it: policies by the SDK, fixtures, and
//! the relay.
//!
//! - [`types`] are the records of the hooks.
//! - [`authentication`], [`directory`], [`identity`], [`queued`] and [`account`] are the look-ups. Each look-up
//!   is a function that a policy calls. In a module it asks the relay. Natively, in tests, it asks
//!   the [`Answers`] of its thread. The traits [`directory::Directory`] and [`identity::Identity`]
//!   are for whoever answers: the relay, and fixtures.
//!
//! The bindings of a module are generated from the texts and use these records in the place of
//! their own: a field or a case that the texts have otherwise does not compile. The relay maps them
//! to the engine's at one place, `host/policy/src/contract.rs`.

#![deny(unsafe_code)]

// The bindings name this crate by its name.
#[cfg(target_arch = "wasm32")]
extern crate self as gatepost_contract;

/// Returns the answer to a look-up: of the relay, or natively of whoever answers on this thread.
macro_rules! look_up {
    ($interface:ident::$name:ident($($argument:expr),*), $natively:expr) => {{
        #[cfg(target_arch = "wasm32")]
        return crate::bindings::gatepost::policy::$interface::$name($($argument),*);
        #[cfg(not(target_arch = "wasm32"))]
        crate::answers::answer($natively)
    }};
}

/// Tells the bindings the cases of enums, which cross the sandbox's border as numbers. A test
/// compares their order with the texts.
macro_rules! by_number {
    ($($name:ident { $($case:ident),+ })+) => {$(
        impl $name {
            #[cfg(any(test, target_arch = "wasm32"))]
            const CASES: &[Self] = &[$(Self::$case),+];

            /// Returns the case of a number, for the bindings.
            ///
            /// # Safety
            /// Any number will do: the bindings want it unsafe.
            #[cfg(target_arch = "wasm32")]
            #[doc(hidden)]
            #[allow(unsafe_code)]
            pub unsafe fn _lift(number: u8) -> Self {
                Self::CASES[usize::from(number)]
            }
        }

        #[cfg(test)]
        impl crate::tests::Cases for $name {
            fn cases() -> Vec<serde_json::Value> {
                Self::CASES.iter().map(|case| serde_json::json!(case)).collect()
            }
        }
    )+};
}

pub mod account;
#[cfg(not(target_arch = "wasm32"))]
mod answers;
#[cfg(not(target_arch = "wasm32"))]
pub mod arrival;
pub mod authentication;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[allow(unsafe_code, missing_docs, clippy::all)]
pub mod bindings;
pub mod directory;
pub mod identity;
pub mod queued;
pub mod types;

#[cfg(not(target_arch = "wasm32"))]
pub use answers::{Answers, Giving};

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub use wit_bindgen::rt as __rt;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use wit_parser::{Resolve, TypeDefKind};

    use crate::{authentication, directory, types};

    /// Cases of an enum, by name, in the order of their numbers.
    pub(crate) trait Cases {
        fn cases() -> Vec<serde_json::Value>;
    }

    #[test]
    fn enums_have_the_cases_of_the_texts_in_their_order() {
        let mut known = BTreeMap::from([
            ("flow", types::Flow::cases()),
            ("message-class", types::MessageClass::cases()),
            ("tls-mode", types::TlsMode::cases()),
            ("protocol", types::Protocol::cases()),
            ("ending", types::Ending::cases()),
            ("stage", types::Stage::cases()),
            ("transport", types::Transport::cases()),
            ("level", types::Level::cases()),
            ("outcome", authentication::Outcome::cases()),
            ("dmarc-policy", authentication::DmarcPolicy::cases()),
            ("from-clarity", authentication::FromClarity::cases()),
            ("arrival", authentication::Arrival::cases()),
            ("domain-kind", directory::DomainKind::cases()),
            ("domain-state", directory::DomainState::cases()),
        ]);
        let mut texts = Resolve::new();
        texts
            .push_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
            .unwrap();
        for (_, defined) in &texts.types {
            let (Some(name), TypeDefKind::Enum(of)) = (&defined.name, &defined.kind) else {
                continue;
            };
            let cases: Vec<_> = of.cases.iter().map(|case| case.name.as_str()).collect();
            assert_eq!(known.remove(name.as_str()).unwrap(), cases, "{name}");
        }
        assert!(known.is_empty(), "{known:?}");
    }
}
