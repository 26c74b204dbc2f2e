//! Bindings generated from `wit/`: one module for each combination of exports, so that a policy
//! carries only the exports that it names. What policies import is bound by `gatepost_contract`.

macro_rules! world {
    ($module:ident, $world:literal, $export:literal) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: "../../wit",
                world: $world,
                runtime_path: "gatepost_sdk::__rt",
                pub_export_macro: true,
                export_macro_name: $export,
                default_bindings_module: "unused",
                with: {
                    "gatepost:policy/types@0.2.0": gatepost_contract::types,
                    "gatepost:policy/message-access@0.2.0": gatepost_contract::bindings::gatepost::policy::message_access,
                    "gatepost:policy/decisions@0.2.0": gatepost_contract::bindings::gatepost::policy::decisions,
                    "gatepost:policy/plans@0.2.0": gatepost_contract::bindings::gatepost::policy::plans,
                    "gatepost:policy/attempts@0.2.0": gatepost_contract::bindings::gatepost::policy::attempts,
                    "gatepost:policy/queued@0.2.0": gatepost_contract::bindings::gatepost::policy::queued,
                    "gatepost:policy/counters@0.2.0": gatepost_contract::bindings::gatepost::policy::counters,
                    "gatepost:policy/clock@0.2.0": gatepost_contract::bindings::gatepost::policy::clock,
                    "gatepost:policy/log@0.2.0": gatepost_contract::bindings::gatepost::policy::log,
                    "gatepost:policy/authentication@0.2.0": gatepost_contract::bindings::gatepost::policy::authentication,
                    "gatepost:policy/directory@0.2.0": gatepost_contract::bindings::gatepost::policy::directory,
                    "gatepost:policy/settings-of-account@0.2.0": gatepost_contract::bindings::gatepost::policy::settings_of_account,
                    "gatepost:policy/identity@0.2.0": gatepost_contract::bindings::gatepost::policy::identity,
                },
            });
        }
    };
}

world!(configured, "configured", "__export_settings");
world!(connect, "connect-hook", "__export_connect");
world!(sender, "sender-hook", "__export_sender");
world!(recipient, "recipient-hook", "__export_recipient");
world!(message, "message-hook", "__export_message");
world!(route, "route-hook", "__export_route");
world!(outcome, "outcome-hook", "__export_outcome");
