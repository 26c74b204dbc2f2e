//! Rollouts are stored: a restart resumes them, and the configuration's later word ends them.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use bytes::Bytes;
use gatepost_config::Config;
use gatepost_policy::{Engine, EngineSettings};
use gatepost_policy_set::history::{ActivatedBy, ROLLBACK, VersionHistory};
use gatepost_policy_set::rollouts::{
    FiguresBegin, RolloutEnd, RolloutMode, RolloutOrder, RolloutState,
};
use gatepost_policy_set::{Policies, SwapOutcome};
use gatepost_rollout::{Ppm, StepPlan, Thresholds};

fn builtin(name: &str) -> Bytes {
    Bytes::from_static(gatepost_builtin::module(name).unwrap())
}

/// A configuration with a policy whose module stands in the store's folder.
fn config(store: &Path, settings: &str) -> Config {
    let text = format!(
        "[relay]\nhostname = \"mx.desk.example\"\n[[listener]]\nname = \"mx\"\n\
         address = \"127.0.0.1:0\"\ndirection = \"inbound\"\ntls = \"none\"\nchain = [\"guest\"]\n\
         [[policy]]\nname = \"guest\"\nfile = \"guest.wasm\"\n{settings}"
    );
    Config::parse(&text, Path::new("gatepost.toml"), store).unwrap()
}

/// Starts on a store, as a relay does.
async fn start(store: &Path) -> Policies {
    let config = config(store, "");
    let engine = Engine::new(EngineSettings {
        instances: 8,
        cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies")),
        ..EngineSettings::default()
    });
    let history = VersionHistory::open(store).unwrap();
    let loaded = Policies::load_with(engine.unwrap(), &config, history, None, &|_| {}).await;
    loaded.unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// Reloads; returns the changes as the operator sees them.
async fn reload(policies: &Policies, config: &Config) -> Vec<String> {
    let prepared = policies.prepare(config).await;
    let prepared = prepared.unwrap_or_else(|errors| panic!("{errors:?}"));
    let changes = prepared.changes.iter().map(ToString::to_string).collect();
    policies.activate_all(prepared).await;
    changes
}

fn by_root() -> ActivatedBy {
    ActivatedBy::new("root", "socket", "new.wasm")
}

fn rollback() -> ActivatedBy {
    ActivatedBy::new("root", "socket", ROLLBACK)
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
    assert!(matches!(resumed.counted_from, FiguresBegin::Start(_)));
    let held = RolloutState {
        counted_from: resumed.counted_from,
        ..held
    };
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
    let first = policies.roll_out(canary(&[5])).await.unwrap();
    assert_eq!(first.replaced, None);
    let error = policies.hold_rollout("guest", true).await.unwrap_err();
    assert!(error.to_string().contains("makes no steps"), "{error}");
    let canary = policies.slots()[0].trial().unwrap();
    let budget = Ppm::percent(10);
    let begun = policies
        .roll_out(order(RolloutMode::Shadow { budget }))
        .await;
    let begun = begun.unwrap();
    assert_eq!(begun.share, None);
    assert_eq!(begun.replaced, Some(first.rollout.digest));
    assert_eq!(policies.rollout("guest").unwrap().replaced, None);
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
    let reasons = record.rollouts.iter().map(|of| of.end_in_words());
    let reasons: Vec<_> = reasons.collect();
    assert_eq!(
        reasons,
        [
            "was promoted by hand",
            "was replaced: a new rollout of the policy began"
        ]
    );
    assert!(policies.promote("guest", by).await.is_err());
    let again = policies
        .roll_out(order(RolloutMode::Shadow { budget }))
        .await;
    let error = again.unwrap_err().to_string();
    assert!(error.contains("active already"), "{error}");
}

/// Somebody means the candidate, which a threshold has rolled back a moment ago.
#[tokio::test]
async fn a_rollback_after_a_dropped_candidate_leaves_the_active_version() {
    let store = tempfile::tempdir().unwrap();
    std::fs::write(store.path().join("guest.wasm"), builtin("partner-guard")).unwrap();
    let policies = start(store.path()).await;
    let before = policies.slots()[0].current().digest().to_owned();
    let loop_guard = builtin("loop-guard");
    let good = policies.activate("guest", loop_guard, by_root()).await;
    let good = good.unwrap().new;

    let begun = policies.roll_out(canary(&[5, 100])).await.unwrap();
    let dropped = policies.rollback("guest", None, rollback()).await.unwrap();
    assert_eq!(dropped.outcome, SwapOutcome::CandidateDropped);
    assert_eq!((&dropped.old, &dropped.new), (&begun.rollout.digest, &good));
    assert_eq!(dropped.candidate, None);

    let refuses = async |policies: &Policies| {
        let refused = policies.rollback("guest", None, rollback()).await;
        let refused = refused.unwrap_err().to_string();
        let candidate = &begun.rollout.digest[..12];
        for words in [
            format!(
                "nothing is under trial: candidate {candidate} was rolled back by root (socket) at "
            ),
            format!("`gatepost policy rollback guest --to {}`", &before[..12]),
        ] {
            assert!(refused.contains(&words), "{refused}");
        }
        let error = policies.promote("guest", by_root()).await.unwrap_err();
        let words =
            format!("no version of it is under trial: candidate {candidate} was rolled back");
        assert!(error.to_string().contains(&words), "{error}");
        policies.slots()[0].current().digest().to_owned()
    };
    assert_eq!(refuses(&policies).await, good);
    drop(policies);
    let policies = start(store.path()).await;
    assert_eq!(refuses(&policies).await, good);

    // Other settings make another version, of the same module.
    let limited = config(store.path(), "settings = { hop-limit = 7 }\n");
    reload(&policies, &limited).await;
    let limit = refuses(&policies).await;
    assert_ne!(limit, good);
    let versions = policies.record("guest").unwrap().versions;
    let by = &versions[0].by;
    assert_eq!(
        (by.origin.as_str(), by.source.as_str()),
        ("settings", "new.wasm")
    );
    let reason = versions[0].reason.as_deref().unwrap();
    assert!(reason.contains("activated by hand"), "{reason}");

    // The version before does not know the new key.
    let refused = policies.rollback("guest", Some(&before[..12]), rollback());
    let refused = refused.await.unwrap_err().to_string();
    for words in [
        &format!(
            "version {} does not take the present settings",
            &before[..12]
        ),
        "'hop-limit' was unexpected",
        "out of the configuration",
        "`gatepost reload`",
    ] {
        assert!(refused.contains(words), "{refused}");
    }
    let module = builtin("header-guard");
    let refused = policies.activate("guest", module, by_root()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("the module "), "{refused}");
    reload(&policies, &config(store.path(), "")).await;

    // A version that is named is meant.
    let back = policies.rollback("guest", Some(&before[..12]), rollback());
    let back = back.await.unwrap();
    assert_eq!((back.outcome, &back.new), (SwapOutcome::Activated, &before));
    assert_eq!(back.rolled_back_before, None);
    // Once more undoes it, and says what it brings back.
    let again = policies.rollback("guest", None, rollback()).await.unwrap();
    assert_eq!(again.new, good);
    assert_eq!(again.rolled_back_before, Some(back.active_since));
}

#[tokio::test]
async fn an_active_version_that_is_activated_again_stays_as_it_is() {
    let store = tempfile::tempdir().unwrap();
    std::fs::write(store.path().join("guest.wasm"), builtin("partner-guard")).unwrap();
    let policies = start(store.path()).await;
    let active_since = |policies: &Policies| policies.active_since(&policies.slots()[0]);
    let begun = active_since(&policies);
    let again = policies.activate_configured("guest", by_root()).await;
    let again = again.unwrap();
    assert_eq!(again.outcome, SwapOutcome::ActiveAlready);
    assert_eq!((again.active_since, again.configured), (begun, true));

    let module = builtin("loop-guard");
    let swap = policies.activate("guest", module.clone(), by_root()).await;
    let swap = swap.unwrap();
    assert_eq!(swap.active_since, active_since(&policies));
    drop(policies);
    let policies = start(store.path()).await;
    assert_eq!(active_since(&policies), swap.active_since);
    let versions = policies.record("guest").unwrap().versions;
    let candidate = policies.roll_out(canary(&[5])).await.unwrap();
    let by_file = policies.activate("guest", module, by_root()).await;
    let by_digest = policies.rollback("guest", Some(&swap.new[..12]), rollback());
    for again in [by_file.unwrap(), by_digest.await.unwrap()] {
        assert_eq!(again.outcome, SwapOutcome::ActiveAlready);
        assert_eq!((&again.old, &again.new), (&swap.new, &swap.new));
        assert_eq!(again.active_since, swap.active_since);
        assert_eq!(again.candidate.as_ref(), Some(&candidate.rollout.digest));
    }
    assert_eq!(policies.record("guest").unwrap().versions, versions);
    assert!(policies.rollout("guest").is_some(), "nothing is changed");
}

#[tokio::test]
async fn a_reload_that_ends_a_rollout_says_so() {
    let store = tempfile::tempdir().unwrap();
    let file = store.path().join("guest.wasm");
    std::fs::write(&file, builtin("loop-guard")).unwrap();
    let policies = start(store.path()).await;
    let limited = config(store.path(), "settings = { hop-limit = 7 }\n");
    let ends = |changes: &[String]| {
        let of_rollout = |change: &&String| change.contains("policy.guest (rollout)");
        changes.iter().find(of_rollout).cloned()
    };

    let begun = policies.roll_out(canary(&[5])).await.unwrap();
    // It goes on with other limits.
    let unchanged = config(store.path(), "deadline = \"20ms\"\n");
    assert_eq!(ends(&reload(&policies, &unchanged).await), None);
    let resumed = policies.rollout("guest").unwrap();
    assert!(matches!(resumed.counted_from, FiguresBegin::Reload(_)));

    // Settings that it does not know.
    let told = ends(&reload(&policies, &limited).await).unwrap();
    let candidate = &begun.rollout.digest[..12];
    let line =
        format!("- policy.guest (rollout): \"{candidate}\" (the rollout of this version ends: ");
    assert!(told.starts_with(&line), "{told}");
    assert!(told.contains("'hop-limit' was unexpected"), "{told}");
    assert!(!told.contains('\n'), "{told}");
    assert_eq!(policies.rollout("guest"), None);
    let ended = policies.record("guest").unwrap().rollouts.remove(0);
    assert_eq!(ended.end, RolloutEnd::RolledBack);
    assert!(!ended.in_words("guest").contains('\n'), "{ended:?}");

    // Another module.
    reload(&policies, &config(store.path(), "")).await;
    policies.roll_out(canary(&[5])).await.unwrap();
    std::fs::write(&file, builtin("partner-guard")).unwrap();
    let told = ends(&reload(&policies, &config(store.path(), "")).await).unwrap();
    assert!(
        told.contains("the configuration names another module"),
        "{told}"
    );
    assert_eq!(policies.rollout("guest"), None);
}

#[tokio::test]
async fn a_step_after_no_call_is_refused() {
    let store = tempfile::tempdir().unwrap();
    std::fs::write(store.path().join("guest.wasm"), builtin("loop-guard")).unwrap();
    let policies = start(store.path()).await;
    let plan = StepPlan {
        steps: vec![Ppm::percent(1), Ppm::ALL],
        every: 0,
        at_least: 0,
    };
    let refused = policies.roll_out(order(RolloutMode::Canary { plan })).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("one call at least"), "{refused}");
}

#[tokio::test]
async fn a_reload_without_the_policy_says_that_its_rollout_ends() {
    let store = tempfile::tempdir().unwrap();
    std::fs::write(store.path().join("guest.wasm"), builtin("loop-guard")).unwrap();
    let policies = start(store.path()).await;
    policies.roll_out(canary(&[5])).await.unwrap();
    let text = "[relay]\nhostname = \"mx.desk.example\"\n[[listener]]\nname = \"mx\"\n\
        address = \"127.0.0.1:0\"\ndirection = \"inbound\"\ntls = \"none\"\nchain = []\n";
    let without = Config::parse(text, Path::new("gatepost.toml"), store.path()).unwrap();
    let changes = reload(&policies, &without).await;
    let told = changes.iter().find(|change| change.contains("(rollout)"));
    let told = told.unwrap_or_else(|| panic!("{changes:?}"));
    assert!(told.contains("names the policy no longer"), "{told}");
}
