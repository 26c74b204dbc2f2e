//! Policies are loaded from what the configuration says, and swapped.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use gatepost::builtin;
use gatepost::config::Config;
use gatepost::policies::Policies;
use gatepost_policy::{Engine, EngineSettings};

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

/// An engine that keeps what it compiles, so that the tests compile each version once.
fn engine() -> Arc<Engine> {
    Engine::new(EngineSettings {
        instances: 8,
        cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies")),
    })
    .unwrap()
}

async fn load(config: &Config) -> Result<Policies, String> {
    let loaded = Policies::load(engine(), config).await;
    loaded.map_err(|errors| errors.0.iter().map(|e| format!("{e}\n")).collect())
}

fn digest(policies: &Policies, name: &str) -> String {
    let slot = policies.slots().find(|slot| slot.name() == name).unwrap();
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
async fn a_self_test_that_comes_out_otherwise_refuses_the_policy() {
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
    let module = Bytes::from_static(builtin::module("header-guard").unwrap());

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
async fn what_cannot_be_activated_leaves_the_version_in_use() {
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

#[tokio::test]
async fn a_reload_goes_back_to_the_configuration_and_touches_only_what_differs() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("loops.wasm");
    let write = |name| std::fs::write(&file, builtin::module(name).unwrap()).unwrap();
    write("loop-guard");
    let config = config(
        "[[policy]]\nname = \"loops\"\nfile = \"loops.wasm\"\n",
        directory.path(),
    );
    let policies = load(&config).await.unwrap();
    let first = digest(&policies, "loops");
    assert!(
        policies.reload(&config).await.is_empty(),
        "nothing has changed"
    );

    write("header-guard");
    let swaps: Vec<_> = policies.reload(&config).await;
    let [Ok(swap)] = swaps.as_slice() else {
        panic!("{swaps:?}");
    };
    assert_eq!((swap.policy.as_str(), &swap.old), ("loops", &first));

    std::fs::write(&file, "broken").unwrap();
    let results = policies.reload(&config).await;
    assert!(matches!(results.as_slice(), [Err(_)]), "{results:?}");
    assert_eq!(
        digest(&policies, "loops"),
        swap.new,
        "the last good version stays"
    );
}

#[tokio::test]
async fn a_reload_takes_new_settings_and_limits() {
    let before = config(LOOPS, Path::new(""));
    let policies = load(&before).await.unwrap();
    for change in [
        "settings = { hop-limit = 7 }\n",
        "settings = { hop-limit = 7 }\ndeadline = \"20ms\"\n",
    ] {
        let after = config(&format!("{LOOPS}{change}"), Path::new(""));
        let swaps = policies.reload(&after).await;
        assert!(matches!(swaps.as_slice(), [Ok(_)]), "{change}: {swaps:?}");
    }
    let slot = policies
        .slots()
        .find(|slot| slot.name() == "loops")
        .unwrap();
    let definition = slot.current().definition().clone();
    assert_eq!(definition.settings["hop-limit"], 7);
    assert_eq!(definition.limits.deadline.as_millis(), 20);
}
