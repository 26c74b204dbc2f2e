//! Policies are loaded as the configuration says, and swapped.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_config::{Change, Config};
use gatepost_policy::{Engine, EngineSettings};
use gatepost_policy_set::Policies;
use gatepost_policy_set::history::{ActivatedBy, VersionHistory};

const LISTENER: &str = r#"
[relay]
hostname = "mx.desk.example"
[[listener]]
name = "mx"
address = "127.0.0.1:0"
direction = "inbound"
tls = "none"
chain = ["header-guard", "loops"]
"#;

const LOOPS: &str = "[[policy]]\nname = \"loops\"\nbuiltin = \"loop-guard\"\n";

fn config(policies: &str, base: &Path) -> Config {
    let text = format!("{LISTENER}{policies}");
    Config::parse(&text, Path::new("gatepost.toml"), base).unwrap()
}

/// Returns an engine with a cache, so that the tests compile each version once.
fn engine() -> Arc<Engine> {
    Engine::new(EngineSettings {
        instances: 8,
        cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies")),
        ..EngineSettings::default()
    })
    .unwrap()
}

async fn load(config: &Config) -> Result<Policies, String> {
    let loaded = Policies::load(engine(), config).await;
    loaded.map_err(|errors| errors.0.iter().map(|e| format!("{e}\n")).collect())
}

fn by_root() -> ActivatedBy {
    ActivatedBy::new("root", "socket", "new.wasm")
}

fn builtin(name: &str) -> Bytes {
    Bytes::from_static(gatepost_builtin::module(name).unwrap())
}

/// Starts on a store, as a relay does.
async fn start(store: &Path, config: &Config) -> Policies {
    let history = VersionHistory::open(store).unwrap();
    let loaded = Policies::load_with(engine(), config, history, None, &|_| {}).await;
    loaded.unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn digest(policies: &Policies, name: &str) -> String {
    let slot = policies
        .slots()
        .into_iter()
        .find(|slot| slot.name() == name)
        .unwrap();
    slot.current().digest().to_owned()
}

#[tokio::test]
async fn a_chain_has_its_policies_in_order() {
    let policies = load(&config(LOOPS, Path::new(""))).await.unwrap();
    let chain = policies.chain("mx");
    let names: Vec<_> = chain.slots().iter().map(|slot| slot.name()).collect();
    assert_eq!(names, ["header-guard", "loops"]);
    assert!(policies.chain("other").slots().is_empty());
}

#[tokio::test]
async fn every_policy_that_cannot_be_used_is_named_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("text.wasm"), "hello").unwrap();
    let errors = load(&config(
        &format!(
            "{LOOPS}settings = {{ hop-limit = \"many\" }}\n\
             [[policy]]\nname = \"text\"\nfile = \"text.wasm\"\n\
             [[policy]]\nname = \"absent\"\nfile = \"absent.wasm\"\n"
        ),
        directory.path(),
    ))
    .await
    .unwrap_err();
    assert!(
        errors.contains("\"loops\": the settings are not valid"),
        "{errors}"
    );
    assert!(errors.contains("/hop-limit"), "{errors}");
    assert!(
        errors.contains("\"text\": not a WebAssembly file"),
        "{errors}"
    );
    assert!(errors.contains("\"absent\": cannot read"), "{errors}");
    assert_eq!(errors.matches("policy \"").count(), 3, "{errors}");
}

#[tokio::test]
async fn a_policy_that_suppresses_must_not_fail_open() {
    let skip = format!("{LOOPS}on-error = \"skip\"\n");
    let errors = load(&config(&skip, Path::new(""))).await.unwrap_err();
    assert!(
        errors.contains("on-error = \"skip\" is refused"),
        "{errors}"
    );
}

#[tokio::test]
async fn a_failed_self_test_refuses_the_policy() {
    let directory = tempfile::tempdir().unwrap();
    // Stored with LF; thirty hops more than the policy allows.
    let hops = "Received: from a.example by b.example; Thu, 1 Jan 2026 00:00:00 +0000\n".repeat(60);
    let message = format!("{hops}From: a@b.example\nTo: x@desk.example\nSubject: loop\n\nhello\n");
    std::fs::write(directory.path().join("loop.eml"), message).unwrap();
    let expecting = |verdict| {
        let test = format!(
            "{LOOPS}settings = {{ hop-limit = 30 }}\n\
             self-test = [{{ file = \"loop.eml\", mail-from = \"a@b.example\", rcpt-to = [\"x@desk.example\"], expect = \"{verdict}\" }}]\n"
        );
        config(&test, directory.path())
    };
    load(&expecting("reject")).await.unwrap();
    let errors = load(&expecting("pass")).await.unwrap_err();
    assert!(errors.contains("expected pass, got reject"), "{errors}");
}

#[tokio::test]
async fn a_module_is_activated_and_rolled_back() {
    let policies = load(&config(LOOPS, Path::new(""))).await.unwrap();
    let first = digest(&policies, "loops");
    let module = Bytes::from_static(gatepost_builtin::module("header-guard").unwrap());

    let swap = policies.activate("loops", module, by_root()).await.unwrap();
    assert_eq!((swap.policy.as_str(), &swap.old), ("loops", &first));
    assert_eq!(swap.new, digest(&policies, "loops"));
    assert_ne!(swap.new, first);
    let in_chain = policies.chain("mx").slots()[1]
        .current()
        .digest()
        .to_owned();
    assert_eq!(in_chain, swap.new, "the chain follows");

    let back = policies.rollback("loops", None, by_root()).await.unwrap();
    assert_eq!((back.old, &back.new), (swap.new, &first));
    assert_eq!(digest(&policies, "loops"), first);
}

#[tokio::test]
async fn a_failed_activation_leaves_the_active_version() {
    let policies = load(&config(LOOPS, Path::new(""))).await.unwrap();
    let first = digest(&policies, "loops");
    let error = policies
        .activate("loops", Bytes::from_static(b"no"), by_root())
        .await;
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("not a WebAssembly file")
    );
    assert_eq!(digest(&policies, "loops"), first);

    let error = policies
        .activate("loop", Bytes::new(), by_root())
        .await
        .unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("no policy of this name; it has header-guard, loops"),
        "{said}"
    );
    let error = policies
        .rollback("loops", None, by_root())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no earlier version"), "{error}");
}

/// Returns the changes of a completed reload, or the reason of its refusal.
async fn reload(policies: &Policies, config: &Config) -> Result<Vec<Change>, String> {
    match policies.prepare(config).await {
        Ok(prepared) => {
            let changes = prepared.changes.clone();
            policies.activate_all(prepared).await;
            Ok(changes)
        }
        Err(errors) => Err(errors.0.iter().map(ToString::to_string).collect()),
    }
}

#[tokio::test]
async fn a_reload_returns_to_the_configuration_and_replaces_only_what_differs() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("loops.wasm");
    let write = |name| std::fs::write(&file, gatepost_builtin::module(name).unwrap()).unwrap();
    write("loop-guard");
    let config = || {
        config(
            "[[policy]]\nname = \"loops\"\nfile = \"loops.wasm\"\n",
            directory.path(),
        )
    };
    let policies = load(&config()).await.unwrap();
    let first = digest(&policies, "loops");
    let chain = policies.chain("mx");
    assert_eq!(reload(&policies, &config()).await, Ok(Vec::new()));
    for (slot, before) in policies.chain("mx").slots().iter().zip(chain.slots()) {
        assert!(Arc::ptr_eq(slot, before), "nothing has changed");
    }

    write("header-guard");
    let changes = reload(&policies, &config()).await.unwrap();
    let [change] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    let second = digest(&policies, "loops");
    assert_eq!(
        change.to_string(),
        format!(
            "~ policy.loops (version): \"{}\" -> \"{}\"",
            &first[..12],
            &second[..12]
        )
    );

    policies.rollback("loops", None, by_root()).await.unwrap();
    assert_eq!(digest(&policies, "loops"), first, "it can be undone");
    assert_eq!(reload(&policies, &config()).await, Ok(Vec::new()));
    assert_eq!(digest(&policies, "loops"), first, "it stays");

    write("partner-guard");
    let changes = reload(&policies, &config()).await.unwrap();
    let note = changes[0].note.as_deref().unwrap();
    assert!(note.contains("by hand"), "{note}");
    let third = digest(&policies, "loops");
    assert_ne!(third, first);
    assert_ne!(third, second);

    std::fs::write(&file, "broken").unwrap();
    let refused = reload(&policies, &config()).await.unwrap_err();
    assert!(refused.contains("policy \"loops\""), "{refused}");
    assert_eq!(
        digest(&policies, "loops"),
        third,
        "the last good version stays"
    );
}

#[tokio::test]
async fn a_reload_activates_new_settings_limits_and_chains() {
    let policies = load(&config(LOOPS, Path::new(""))).await.unwrap();
    let before = policies.chain("mx");
    for (change, differs) in [
        ("settings = { hop-limit = 7 }\n", 1),
        ("settings = { hop-limit = 7 }\ndeadline = \"20ms\"\n", 0),
    ] {
        let after = config(&format!("{LOOPS}{change}"), Path::new(""));
        let changes = reload(&policies, &after).await.unwrap();
        assert_eq!(changes.len(), differs, "{change}: {changes:?}");
    }
    let slots = policies.slots();
    let slot = slots.iter().find(|slot| slot.name() == "loops").unwrap();
    let definition = slot.current().definition().clone();
    assert_eq!(definition.settings["hop-limit"], 7);
    assert_eq!(definition.limits.deadline.as_millis(), 20);

    let fewer = LISTENER.replace("\"header-guard\", ", "") + LOOPS;
    let fewer = Config::parse(&fewer, Path::new("gatepost.toml"), Path::new("")).unwrap();
    reload(&policies, &fewer).await.unwrap();
    assert_eq!(policies.chain("mx").slots().len(), 1);
    assert_eq!(policies.slots().len(), 1, "what nobody names is gone");
    assert_eq!(before.slots().len(), 2, "whoever began with it keeps it");
}

#[tokio::test]
async fn an_activated_module_stays_until_the_configuration_names_another() {
    let store = tempfile::tempdir().unwrap();
    let file = store.path().join("loops.wasm");
    let write = |name| std::fs::write(&file, builtin(name)).unwrap();
    write("loop-guard");
    let named = |settings| {
        let policy = format!("[[policy]]\nname = \"loops\"\nfile = \"loops.wasm\"\n{settings}");
        config(&policy, store.path())
    };
    let policies = start(store.path(), &named("")).await;
    let configured = digest(&policies, "loops");
    let module = builtin("header-guard");
    let swap = policies.activate("loops", module, by_root()).await.unwrap();
    let record = policies.record("loops").unwrap();
    assert!(record.activated.is_some());
    assert_eq!(record.configured_version, Some(configured));

    let policies = start(store.path(), &named("")).await;
    assert_eq!(
        digest(&policies, "loops"),
        swap.new,
        "it survives a restart"
    );
    let versions = policies.record("loops").unwrap().versions;
    assert_eq!(versions[0].by, by_root());
    assert_eq!(versions.len(), 2, "{versions:?}");

    // The settings are the configuration's; those of another policy refuse a reload.
    let problem = reload(&policies, &named("settings = { hop-limit = 7 }\n")).await;
    let problem = problem.unwrap_err();
    assert!(problem.contains("activated by hand"), "{problem}");
    assert_eq!(digest(&policies, "loops"), swap.new);

    write("partner-guard");
    let policies = start(store.path(), &named("")).await;
    let now = digest(&policies, "loops");
    assert_ne!(now, swap.new, "the configuration has spoken later");
    assert_eq!(policies.record("loops").unwrap().activated, None);
    // The earlier versions are still there.
    let back = policies
        .rollback("loops", Some(&swap.new[..12]), by_root())
        .await;
    assert_eq!(back.unwrap().new, swap.new);
    let error = policies.rollback("loops", Some("0123"), by_root()).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no version whose digest begins"), "{error}");
    let ended = policies.activate_configured("loops", by_root()).await;
    assert_eq!(ended.unwrap().new, now);
}

#[tokio::test]
async fn a_start_goes_on_without_a_module_that_is_lost() {
    let store = tempfile::tempdir().unwrap();
    let policies = start(store.path(), &config(LOOPS, store.path())).await;
    let configured = digest(&policies, "loops");
    let module = builtin("header-guard");
    policies.activate("loops", module, by_root()).await.unwrap();
    let activated = policies.record("loops").unwrap().activated.unwrap().module;
    let kept = store.path().join("policies").join(activated);
    std::fs::write(kept.with_extension("wasm"), "damaged").unwrap();
    let policies = start(store.path(), &config(LOOPS, store.path())).await;
    assert_eq!(digest(&policies, "loops"), configured);
    assert_eq!(policies.record("loops").unwrap().activated, None);
}
