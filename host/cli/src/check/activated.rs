//! Versions that a relay has active and that are not those of the configuration.

use gatepost_config::{Config, Policy};
use gatepost_policy::{Definition, version_digest};
use gatepost_policy_set::history::VersionHistory;

use crate::commands::output;

/// Returns a line for each of these policies of which the relay on the store has another module active, by
/// hand, than the configuration names; none if the store cannot be read.
pub(super) async fn other_versions(config: &Config, policies: &[&Policy]) -> Vec<String> {
    let store = config.relay.store.clone();
    let history = tokio::task::spawn_blocking(move || VersionHistory::copy_of(&store)).await;
    let Ok(Ok(history)) = history else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    for policy in policies {
        let name = &policy.name;
        let Some(activated) = history.record(name).activated else {
            continue;
        };
        let active = history.module(&activated.module);
        let configured = gatepost_policy_set::module(policy).await;
        let (Ok(active), Ok(configured)) = (active, configured) else {
            continue;
        };
        let definition = Definition {
            settings: policy.settings.clone(),
            ..Definition::new(name)
        };
        let [active, configured] =
            [active, configured].map(|module| version_digest(&definition, &module));
        if active != configured {
            lines.push(format!(
                "gatepost: policy {name}: the relay has version {} active, activated by hand; this judges by the \
                 configuration's {}: `gatepost policy run --policy {name} --module FILE` judges by another \
                 module, `gatepost policy activate --configured {name}` ends the activation",
                output::digest(&active),
                output::digest(&configured)
            ));
        }
    }
    lines
}
