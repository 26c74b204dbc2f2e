//! Loads: refused modules with their errors, inspection, and the cache of compiled code.

use gatepost_policy::{
    Definition, Engine, EngineSettings, Hook, Limits, LoadError, ModuleKind, OnError, SelfTest,
};
use serde_json::json;
use test_support::{hostile, policy};

use crate::{engine, message, transaction};

async fn load_error(definition: Definition, module: Vec<u8>) -> LoadError {
    engine().load(definition, module.into()).await.unwrap_err()
}

#[tokio::test]
async fn a_file_that_is_not_webassembly_is_refused() {
    let error = load_error(Definition::new("x"), b"#!/bin/sh\n".to_vec()).await;
    assert!(matches!(error, LoadError::NotWasm { .. }));
    assert!(error.to_string().contains("`#!/bin/s"), "{error}");
}

#[tokio::test]
async fn a_truncated_module_is_refused() {
    let mut module = policy("loop-guard");
    module.truncate(module.len() / 2);
    let error = load_error(Definition::new("x"), module).await;
    assert!(matches!(error, LoadError::Invalid(_)), "{error}");
}

#[tokio::test]
async fn an_error_of_another_contract_version_names_both() {
    let module = replace(policy("loop-guard"), b"@0.2.0", b"@0.7.3");
    let error = load_error(Definition::new("x"), module).await;
    assert!(
        matches!(error, LoadError::ContractVersion { .. }),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("gatepost:policy 0.7.3, this relay speaks 0.2.0"),
        "{text}"
    );
}

/// A core module that imports `now` of `clock@0.1.0`, which is all that a build of the first
/// contract needs to have.
#[tokio::test]
async fn a_build_of_the_first_contract_is_refused_with_what_to_do() {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    // The type of a function without parameters that returns an i64.
    module.extend([1, 5, 1, 0x60, 0, 1, 0x7e]);
    let mut import = vec![1, 27];
    import.extend(b"gatepost:policy/clock@0.1.0");
    import.push(3);
    import.extend(b"now");
    import.extend([0, 0]);
    module.extend([2, u8::try_from(import.len()).unwrap()]);
    module.extend(import);
    let error = load_error(Definition::new("x"), module).await;
    assert_eq!(
        error.to_string(),
        "this module was built for gatepost:policy 0.1.0, this relay speaks 0.2.0; build it again \
         with the SDK of version 0.2.0, by docs/upgrading-policies.md"
    );
}

#[tokio::test]
async fn a_forbidden_import_is_named() {
    let error = load_error(Definition::new("x"), hostile("forbidden_import")).await;
    let text = error.to_string();
    assert!(
        text.contains("wasi_snapshot_preview1.clock_time_get"),
        "{text}"
    );
    assert!(
        text.contains("gatepost:policy/clock@0.2.0"),
        "what it may import: {text}"
    );
}

#[tokio::test]
async fn an_error_of_settings_names_the_path() {
    let mut definition = Definition::new("loop-guard");
    definition.settings = json!({ "hop-limit": "many" });
    let text = load_error(definition.clone(), policy("loop-guard"))
        .await
        .to_string();
    assert!(
        text.contains("/hop-limit") && text.contains("\"many\""),
        "{text}"
    );
    definition.settings = json!({ "hop-limit": 0 });
    let text = load_error(definition.clone(), policy("loop-guard"))
        .await
        .to_string();
    assert!(text.contains("/hop-limit: 0"), "{text}");
    definition.settings = json!({ "hops": 3 });
    let text = load_error(definition.clone(), policy("loop-guard"))
        .await
        .to_string();
    assert!(text.contains("hops"), "{text}");
    // A policy without settings refuses any.
    let text = load_error(definition.clone(), hostile("trap"))
        .await
        .to_string();
    assert!(
        text.contains("/: no setting is allowed here (found 'hops')"),
        "{text}"
    );
    // The policy itself refuses settings that its schema allows.
    definition.settings = json!({ "email-id-header": "X:Y" });
    let text = load_error(definition, policy("loop-guard"))
        .await
        .to_string();
    assert!(
        text.contains("/email-id-header") && text.contains("not a header's name"),
        "{text}"
    );
}

#[tokio::test]
async fn on_error_skip_is_refused_for_a_policy_with_a_duty() {
    let mut definition = Definition::new("loop-guard");
    definition.on_error = OnError::Skip;
    let error = load_error(definition, policy("loop-guard")).await;
    assert!(
        matches!(error, LoadError::SkipFailsOpen { duty: "suppresses" }),
        "{error}"
    );
}

#[tokio::test]
async fn a_module_over_the_limit_is_refused() {
    let mut definition = Definition::new("x");
    definition.limits = Limits {
        module_bytes: 1_000,
        ..Limits::default()
    };
    let error = load_error(definition, policy("loop-guard")).await;
    assert!(
        matches!(error, LoadError::TooLarge { limit: 1_000, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_version_that_fails_its_probe_is_refused() {
    let text = load_error(Definition::new("x"), hostile("traps_at_load"))
        .await
        .to_string();
    assert!(text.contains("a probe call of its message hook"), "{text}");
}

#[tokio::test]
async fn a_self_test_with_another_verdict_is_refused() {
    let mut definition = Definition::new("loop-guard");
    definition.settings = json!({ "hop-limit": 2 });
    let looping = message("Received: a\r\nReceived: b\r\nReceived: c\r\n");
    let test = |message, expect: &str| SelfTest {
        name: "three-hops.eml".into(),
        transaction: transaction(),
        message,
        expect: expect.into(),
    };
    definition.self_tests = vec![test(looping.clone(), "reject")];
    crate::load(definition.clone(), policy("loop-guard")).await;
    definition.self_tests = vec![test(looping, "pass")];
    let text = load_error(definition, policy("loop-guard"))
        .await
        .to_string();
    assert_eq!(
        text,
        "self-test three-hops.eml: expected pass, got reject (3 Received fields, and the limit is \
         2)"
    );
}

#[tokio::test]
async fn inspection_describes_a_module() {
    let inspection = engine().inspect(policy("loop-guard").into()).await.unwrap();
    assert_eq!(inspection.kind, ModuleKind::CoreModule);
    assert_eq!(inspection.hooks, [Hook::Message]);
    assert_eq!(inspection.contract, "0.2.0");
    assert!(inspection.duties.suppresses && !inspection.duties.authenticates);
    assert!(
        inspection.imports.contains(&"counters".to_owned()),
        "{:?}",
        inspection.imports
    );
    let schema: serde_json::Value = serde_json::from_str(&inspection.schema).unwrap();
    assert_eq!(schema["properties"]["hop-limit"]["default"], 100);
    let route = engine()
        .inspect(policy("outbound-route").into())
        .await
        .unwrap();
    assert_eq!(route.hooks, [Hook::Route]);
    assert!(route.duties.routes);
}

#[tokio::test]
async fn a_component_is_loaded_as_it_is() {
    let component = wit_component::ComponentEncoder::default()
        .module(&policy("loop-guard"))
        .unwrap()
        .encode()
        .unwrap();
    let inspection = engine().inspect(component.clone().into()).await.unwrap();
    assert_eq!(inspection.kind, ModuleKind::Component);
    crate::load(Definition::new("loop-guard"), component).await;
}

#[tokio::test]
async fn compiled_code_is_cached_and_damaged_code_is_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let small = EngineSettings {
        instances: 4,
        cache: Some(cache.clone()),
        ..EngineSettings::default()
    };
    let first = Engine::new(small.clone()).unwrap();
    let definition = Definition::new("loop-guard");
    let version = first
        .load(definition.clone(), policy("loop-guard").into())
        .await
        .unwrap();
    let files: Vec<_> = std::fs::read_dir(&cache)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1);
    // A second engine takes the code from the cache: the same version, without compiling.
    let second = Engine::new(small.clone()).unwrap();
    let again = second
        .load(definition.clone(), policy("loop-guard").into())
        .await
        .unwrap();
    assert_eq!(version.digest(), again.digest());
    // Damage is noticed and costs a compilation.
    let mut code = std::fs::read(&files[0]).unwrap();
    let middle = code.len() / 2;
    code[middle] ^= 0xff;
    std::fs::write(&files[0], &code).unwrap();
    let third = Engine::new(small.clone()).unwrap();
    third
        .load(definition, policy("loop-guard").into())
        .await
        .unwrap();
    assert_ne!(
        std::fs::read(&files[0]).unwrap(),
        code,
        "it was written anew"
    );
    // A directory that others may enter is not trusted.
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Engine::new(small).unwrap_err().to_string().contains("0700"));
}

/// Shows that a cached file is used only if it belongs to the relay's user, is closed to others,
/// and has the contents that were written under its name. Otherwise it is made anew.
#[tokio::test]
async fn cached_code_that_others_could_have_written_is_not_used() {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
    use std::path::Path;

    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let engine = Engine::new(EngineSettings {
        instances: 4,
        cache: Some(cache.clone()),
        ..EngineSettings::default()
    })
    .unwrap();
    let load = async |name: &str| {
        let module = hostile(name).into();
        engine.load(Definition::new("guest"), module).await.unwrap();
    };
    let files = || {
        let files = fs::read_dir(&cache).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    };
    load("trap").await;
    let trap = files().remove(0);
    load("marks").await;
    let marks = files().into_iter().find(|file| *file != trap).unwrap();
    assert_eq!(fs::metadata(&trap).unwrap().mode() & 0o777, 0o600);

    let identity = |path: &Path| {
        let metadata = fs::symlink_metadata(path).unwrap();
        (metadata.ino(), metadata.mode(), metadata.uid())
    };
    // A good file is used, and stays the same file.
    let good = identity(&trap);
    load("trap").await;
    assert_eq!(identity(&trap), good);

    let mode = |mode| {
        move |file: &Path| {
            fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    let aside = folder.path().join("aside");
    type Spoil<'a> = Box<dyn Fn(&Path) + 'a>;
    let spoil: [(&str, Spoil<'_>); 6] = [
        ("readable by others", Box::new(mode(0o644))),
        ("writable by others", Box::new(mode(0o602))),
        (
            "another file's contents",
            Box::new(|file| fs::copy(&marks, file).map(drop).unwrap()),
        ),
        (
            "a link to what is good",
            Box::new(|file| {
                fs::rename(file, &aside).unwrap();
                symlink(&aside, file).unwrap();
            }),
        ),
        (
            "cut short",
            Box::new(|file| fs::write(file, &fs::read(file).unwrap()[..1_000]).unwrap()),
        ),
        ("empty", Box::new(|file| fs::write(file, "").unwrap())),
    ];
    for (what, spoil) in &spoil {
        spoil(&trap);
        let spoilt = identity(&trap).0;
        load("trap").await;
        let (inode, mode, _) = identity(&trap);
        assert_eq!(mode & 0o170_777, 0o100_600, "{what}");
        assert_ne!(inode, spoilt, "{what}: it was not made anew");
        assert!(fs::metadata(&trap).unwrap().len() > 1_000, "{what}");
    }
    if good.2 == 0 {
        // Only root can give a file away.
        chown(&trap, Some(65_534), None).unwrap();
        load("trap").await;
        assert_eq!(identity(&trap).2, 0, "another user's");
    }
    // Once others may enter the directory, nothing is read from it or written to it.
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o755)).unwrap();
    let before = identity(&trap);
    load("trap").await;
    load("version_one").await;
    assert_eq!((identity(&trap), files().len()), (before, 2));
}

fn replace(mut module: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut at = 0;
    while let Some(found) = module[at..].windows(from.len()).position(|w| w == from) {
        module[at + found..at + found + to.len()].copy_from_slice(to);
        at += found + to.len();
    }
    module
}
