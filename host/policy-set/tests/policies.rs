//! Policies are loaded as the configuration says, and swapped.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_config::{Change, Config};
use gatepost_policy::{Engine, EngineSettings};
use gatepost_policy_set::Policies;

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

    let swap = policies.activate("loops", module).await.unwrap();
    assert_eq!((swap.policy.as_str(), &swap.old), ("loops", &first));
    assert_eq!(swap.new, digest(&policies, "loops"));
    assert_ne!(swap.new, first);
    let in_chain = policies.chain("mx").slots()[1]
        .current()
        .digest()
        .to_owned();
    assert_eq!(in_chain, swap.new, "the chain follows");

    let back = policies.rollback("loops").await.unwrap();
    assert_eq!((back.old, &back.new), (swap.new, &first));
    assert_eq!(digest(&policies, "loops"), first);
}

#[tokio::test]
async fn a_failed_activation_leaves_the_active_version() {
    let policies = load(&config(LOOPS, Path::new(""))).await.unwrap();
    let first = digest(&policies, "loops");
    let error = policies.activate("loops", Bytes::from_static(b"no")).await;
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("not a WebAssembly file")
    );
    assert_eq!(digest(&policies, "loops"), first);

    let error = policies.activate("loop", Bytes::new()).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("no policy of this name; it has header-guard, loops"),
        "{said}"
    );
    let error = policies.rollback("loops").await.unwrap_err();
    assert!(error.to_string().contains("no earlier version"), "{error}");
}

/// Returns the changes of a completed reload, or the reason of its refusal.
async fn reload(policies: &Policies, config: &Config) -> Result<Vec<Change>, String> {
    match policies.prepare(config).await {
        Ok(prepared) => {
            let changes = prepared.changes.clone();
            policies.activate_all(prepared);
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

    policies.rollback("loops").await.unwrap();
    assert_eq!(digest(&policies, "loops"), first, "it can be undone");
    let changes = reload(&policies, &config()).await.unwrap();
    let note = changes[0].note.as_deref().unwrap();
    assert!(note.contains("by hand"), "{note}");
    assert_eq!(digest(&policies, "loops"), second);

    std::fs::write(&file, "broken").unwrap();
    let refused = reload(&policies, &config()).await.unwrap_err();
    assert!(refused.contains("policy \"loops\""), "{refused}");
    assert_eq!(
        digest(&policies, "loops"),
        second,
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
