//! Policies of the tests, the examples of this crate: most misbehave, one way each.
//!
//! Each behaves well until a message carries the header `X-Attack`, so that it can be loaded and
//! activated like any other.

use gatepost_sdk::Message;

/// No settings.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoSettings {}

/// Returns true if the policy is to misbehave on this message.
pub fn attacked(message: &dyn Message) -> bool {
    message.count("X-Attack") > 0
}

/// Makes a policy with one message hook: `hostile!(Name, |message, decision| …)`.
#[macro_export]
macro_rules! hostile {
    ($name:ident, |$message:ident, $decision:ident| $attack:expr) => {
        use gatepost_sdk::*;

        /// The policy.
        pub struct $name;

        impl Policy for $name {
            type Settings = hostile_guests::NoSettings;

            fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
                Ok(Self)
            }

            #[allow(unreachable_code, clippy::diverging_sub_expression)] // an attack need not come back
            fn message(
                &self,
                _: &Transaction,
                $message: &dyn Message,
                _: &dyn Facts,
                $decision: &mut Decision,
            ) -> Verdict {
                if hostile_guests::attacked($message) {
                    return $attack;
                }
                Verdict::Pass
            }
        }

        gatepost_sdk::export!($name: message);
    };
}

/// Makes one of two versions of a policy, which differ only in their name: `version!(One, "one")`.
/// It writes that name into every message, as X-Version, and gives it as its reason.
#[macro_export]
macro_rules! version {
    ($name:ident, $version:literal) => {
        use gatepost_sdk::*;

        /// The policy.
        pub struct $name;

        impl Policy for $name {
            type Settings = hostile_guests::NoSettings;

            fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
                Ok(Self)
            }

            fn message(
                &self,
                _: &Transaction,
                _: &dyn Message,
                _: &dyn Facts,
                decision: &mut Decision,
            ) -> Verdict {
                decision.reason(concat!("judged by version ", $version));
                decision.add_header("X-Version", $version);
                Verdict::Pass
            }
        }

        gatepost_sdk::export!($name: message);
    };
}

/// Returns a schema in which each of so many levels refers to the one below twice.
pub fn doubling(levels: usize) -> serde_json::Value {
    let mut definitions = serde_json::Map::new();
    definitions.insert("l0".to_owned(), serde_json::json!({ "type": "object" }));
    for level in 1..=levels {
        let below = serde_json::json!({ "$ref": format!("#/$defs/l{}", level - 1) });
        let twice = serde_json::json!({ "allOf": [below, below] });
        definitions.insert(format!("l{level}"), twice);
    }
    let top = format!("#/$defs/l{levels}");
    serde_json::json!({ "$defs": definitions, "$ref": top })
}

/// Makes a policy that passes everything and gives a schema of its own for its settings.
#[macro_export]
macro_rules! with_schema {
    ($schema:expr) => {
        use gatepost_sdk::*;

        /// Settings with that schema.
        #[derive(serde::Deserialize)]
        pub struct Settings {}

        impl schemars::JsonSchema for Settings {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                "Settings".into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let schema: serde_json::Value = $schema;
                schema.try_into().unwrap_or_default()
            }
        }

        /// The policy.
        pub struct WithSchema;

        impl Policy for WithSchema {
            type Settings = Settings;

            fn new(_: Settings) -> Result<Self, Vec<String>> {
                Ok(Self)
            }

            fn message(
                &self,
                _: &Transaction,
                _: &dyn Message,
                _: &dyn Facts,
                _: &mut Decision,
            ) -> Verdict {
                Verdict::Pass
            }
        }

        gatepost_sdk::export!(WithSchema: message);
    };
}
