//! The macro that turns a [`Policy`](crate::Policy) into a module.

/// Makes the exports of a policy module: the settings and the named hooks, of `connect`, `sender`,
/// `recipient`, `message`, `route` and `outcome`.
///
/// On a target other than WebAssembly it makes nothing, so that the policy's crate can be tested
/// natively. The [crate documentation](crate) shows a whole policy.
#[macro_export]
macro_rules! export {
    ($policy:ty: $($hook:ident),+ $(,)?) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, missing_docs)]
        mod __gatepost_exports {
            use super::*;

            struct Guest;

            ::std::thread_local! {
                // Filled by `configure`; part of the snapshot that every call starts from.
                static POLICY: ::std::cell::RefCell<Option<$policy>> =
                    const { ::std::cell::RefCell::new(None) };
            }

            fn with_policy<R>(call: impl FnOnce(&$policy) -> R) -> R {
                POLICY.with_borrow(|policy| match policy {
                    Some(policy) => call(policy),
                    None => panic!("a hook was called before configure"),
                })
            }

            impl $crate::bindings::configured::exports::gatepost::policy::settings::Guest for Guest {
                fn schema() -> String {
                    $crate::glue::schema::<$policy>()
                }

                fn configure(json: String) -> Result<(), Vec<String>> {
                    $crate::glue::install_panic_hook();
                    let policy = $crate::glue::configure::<$policy>(&json)?;
                    POLICY.set(Some(policy));
                    Ok(())
                }

                fn answers_for() -> $crate::bindings::configured::exports::gatepost::policy::settings::Duties {
                    $crate::glue::duties::<$policy>()
                }
            }
            $crate::bindings::configured::__export_settings!(Guest with_types_in $crate::bindings::configured);

            $($crate::__export_hook!($hook);)+
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_hook {
    (connect) => {
        impl $crate::bindings::connect::exports::gatepost::policy::connect::Guest for Guest {
            fn on_connect(
                session: $crate::Session,
                decision: &$crate::glue::HostDecision,
            ) -> $crate::Verdict {
                with_policy(|policy| $crate::glue::connect(policy, &session, decision))
            }
        }
        $crate::bindings::connect::__export_connect!(Guest with_types_in $crate::bindings::connect);
    };
    (sender) => {
        impl $crate::bindings::sender::exports::gatepost::policy::sender::Guest for Guest {
            fn on_sender(
                transaction: $crate::Transaction,
                decision: &$crate::glue::HostDecision,
            ) -> $crate::Verdict {
                with_policy(|policy| $crate::glue::sender(policy, &transaction, decision))
            }
        }
        $crate::bindings::sender::__export_sender!(Guest with_types_in $crate::bindings::sender);
    };
    (recipient) => {
        impl $crate::bindings::recipient::exports::gatepost::policy::recipient::Guest for Guest {
            fn on_recipient(
                transaction: $crate::Transaction,
                recipient: String,
                decision: &$crate::glue::HostDecision,
            ) -> $crate::Verdict {
                with_policy(|policy| {
                    $crate::glue::recipient(policy, &transaction, &recipient, decision)
                })
            }
        }
        $crate::bindings::recipient::__export_recipient!(Guest with_types_in $crate::bindings::recipient);
    };
    (message) => {
        impl $crate::bindings::message::exports::gatepost::policy::message::Guest for Guest {
            fn on_message(
                transaction: $crate::Transaction,
                message: &$crate::glue::MessageHandle,
                decision: &$crate::glue::HostDecision,
            ) -> $crate::Verdict {
                with_policy(|policy| $crate::glue::message(policy, &transaction, message, decision))
            }
        }
        $crate::bindings::message::__export_message!(Guest with_types_in $crate::bindings::message);
    };
    (route) => {
        impl $crate::bindings::route::exports::gatepost::policy::route::Guest for Guest {
            fn on_route(
                transaction: $crate::Transaction,
                attempt: $crate::Attempt,
                decision: &$crate::glue::HostDecision,
            ) -> $crate::glue::HostRouting {
                with_policy(|policy| $crate::glue::route(policy, &transaction, &attempt, decision))
            }
        }
        $crate::bindings::route::__export_route!(Guest with_types_in $crate::bindings::route);
    };
    (outcome) => {
        impl $crate::bindings::outcome::exports::gatepost::policy::outcome::Guest for Guest {
            fn on_outcome(
                transaction: $crate::Transaction,
                outcome: &$crate::glue::ResultHandle,
                decision: &$crate::glue::HostDecision,
            ) {
                with_policy(|policy| $crate::glue::outcome(policy, &transaction, outcome, decision))
            }
        }
        $crate::bindings::outcome::__export_outcome!(Guest with_types_in $crate::bindings::outcome);
    };
}
