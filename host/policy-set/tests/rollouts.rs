//! Rollouts are stored: a restart resumes them, and the configuration's later word ends them.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use bytes::Bytes;
use gatepost_config::Config;
use gatepost_policy::{Engine, EngineSettings};
use gatepost_policy_set::Policies;
use gatepost_policy_set::history::{ActivatedBy, VersionHistory};
use gatepost_policy_set::rollouts::{RolloutEnd, RolloutMode, RolloutOrder};
use gatepost_rollout::{Ppm, StepPlan, Thresholds};

fn builtin(name: &str) -> Bytes {
    Bytes::from_static(gatepost_builtin::module(name).unwrap())
}

/// Starts on a store, as a relay does, with a policy whose module stands in the store's folder.
async fn start(store: &Path) -> Policies {
    let text = "[relay]\nhostname = \"mx.desk.example\"\n[[listener]]\nname = \"mx\"\n\
        address = \"127.0.0.1:0\"\ndirection = \"inbound\"\ntls = \"none\"\nchain = [\"guest\"]\n\
        [[policy]]\nname = \"guest\"\nfile = \"guest.wasm\"\n";
    let config = Config::parse(text, Path::new("gatepost.toml"), store).unwrap();
    let engine = Engine::new(EngineSettings {
        instances: 8,
        cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies")),
        ..EngineSettings::default()
    });
    let history = VersionHistory::open(store).unwrap();
    let loaded = Policies::load_with(engine.unwrap(), &config, history, None, &|_| {}).await;
    loaded.unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn order(mode: RolloutMode) -> RolloutOrder {
    RolloutOrder {
        policy: "guest".to_owned(),
        module: builtin("header-guard"),
        mode,
        thresholds: Thresholds::default(),
        by: ActivatedBy::new("root", "socket", "new.wasm"),
    }
}

fn canary(steps: &[u32]) -> RolloutOrder {
    let plan = StepPlan {
        steps: steps.iter().map(|step| Ppm::percent(*step)).collect(),
        every: 1_000,
        at_least: 30,
    };
    order(RolloutMode::Canary { plan })
}

#[tokio::test]
async fn a_rollout_is_resumed_until_the_configuration_names_another_module() {
    let store = tempfile::tempdir().unwrap();
    let file = store.path().join("guest.wasm");
    std::fs::write(&file, builtin("loop-guard")).unwrap();
    let policies = start(store.path()).await;
    let begun = policies.roll_out(canary(&[5, 100])).await.unwrap();
    assert_eq!(begun.share, Some(Ppm::percent(5)));
    let held = policies.hold_rollout("guest", true).await.unwrap();
    drop(policies);

    let policies = start(store.path()).await;
    let resumed = policies.rollout("guest").unwrap();
    assert_eq!(resumed, held, "share, salt and hold are as they were");
    let slots = policies.slots();
    let trial = slots[0].trial().unwrap();
    assert_eq!(trial.version().digest(), begun.rollout.digest);

    std::fs::write(&file, builtin("partner-guard")).unwrap();
    let policies = start(store.path()).await;
    assert_eq!(policies.rollout("guest"), None);
    assert!(policies.slots()[0].trial().is_none());
    let ended = policies.record("guest").unwrap().rollouts.remove(0);
    assert_eq!(ended.end, RolloutEnd::Replaced);
    assert!(ended.reason.contains("configuration"), "{}", ended.reason);
}

#[tokio::test]
async fn a_shadow_takes_the_place_of_a_canary_and_has_no_steps() {
    let store = tempfile::tempdir().unwrap();
    let file = store.path().join("guest.wasm");
    std::fs::write(&file, builtin("loop-guard")).unwrap();
    let policies = start(store.path()).await;
    policies.roll_out(canary(&[5])).await.unwrap();
    let canary = policies.slots()[0].trial().unwrap();
    let budget = Ppm::percent(10);
    let begun = policies
        .roll_out(order(RolloutMode::Shadow { budget }))
        .await;
    assert_eq!(begun.unwrap().share, None);
    assert!(canary.has_ended(), "also for those that began with it");
    let error = policies.hold_rollout("guest", true).await.unwrap_err();
    assert!(error.to_string().contains("no steps"), "{error}");
    let by = ActivatedBy::new("root", "socket", "new.wasm");
    let swap = policies.promote("guest", by.clone()).await.unwrap();
    assert!(!swap.configured);
    assert!(policies.slots()[0].trial().is_none());
    let record = policies.record("guest").unwrap();
    let ends: Vec<_> = record.rollouts.iter().map(|of| of.end).collect();
    assert_eq!(ends, [RolloutEnd::Promoted, RolloutEnd::Replaced]);
    assert!(policies.promote("guest", by).await.is_err());
    let again = policies
        .roll_out(order(RolloutMode::Shadow { budget }))
        .await;
    let error = again.unwrap_err().to_string();
    assert!(error.contains("active already"), "{error}");
}
