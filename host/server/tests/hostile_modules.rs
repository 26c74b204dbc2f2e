//! Whatever a module is, loading it ends with an answer within its limits, and the process that
//! asks survives and has not grown.
//!
//! The process that loads is the real binary. Its limits are smaller here than a relay's, so that
//! the cases end sooner. `PROPTEST_CASES` is the number of made-up modules.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost_policy::{
    Definition, Engine, EngineSettings, LoadError, Loading, LoadingLimits, Program, Resource,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use test_support::costly::{component, core, items, section};
use test_support::{costly_modules, hostile, module_that_fills_memory, say};

/// Default number of made-up modules.
const CASES: u32 = 96;

/// Fixed, so that a failure can be repeated.
const SEED: [u8; 32] = *b"hostile modules, one and the sam";

const LIMITS: LoadingLimits = LoadingLimits {
    memory: 384 << 20,
    processor: Duration::from_secs(5),
    clock: Duration::from_secs(60),
    code: 64 << 20,
};

/// Most KiB that this process may grow while others read modules: a module and its code.
const GROWTH: u64 = 160 << 10;

fn engine(limits: LoadingLimits) -> Arc<Engine> {
    Engine::new(EngineSettings {
        instances: 4,
        cache: None,
        loading: Loading::InChild(Program {
            path: PathBuf::from(env!("CARGO_BIN_EXE_gatepost")),
            arguments: vec!["load-policy".into()],
            limits,
        }),
    })
    .unwrap()
}

async fn refused(engine: &Arc<Engine>, module: Vec<u8>) -> LoadError {
    let begun = Instant::now();
    let loaded = engine.load(Definition::new("guest"), module.into()).await;
    assert!(begun.elapsed() < LIMITS.clock + Duration::from_secs(10));
    loaded.unwrap_err()
}

/// Returns the peak memory of this process, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn each_known_kind_of_hostile_module_is_refused_in_a_sentence() {
    let engine = engine(LIMITS);
    let before = peak();
    for costly in costly_modules() {
        let error = refused(&engine, costly.module).await.to_string();
        assert!(error.contains(costly.says), "{}: {error}", costly.what);
        assert!(
            error.len() < 15_000,
            "{}: {} octets",
            costly.what,
            error.len()
        );
    }
    assert!(peak() - before < GROWTH, "{} KiB more", peak() - before);
}

#[tokio::test]
async fn a_compiler_that_fills_memory_is_stopped() {
    let error = refused(&engine(LIMITS), module_that_fills_memory()).await;
    let gave_up = |resource| {
        matches!(resource, Resource::Memory(limit) if limit == LIMITS.memory)
            || resource == Resource::Processor(LIMITS.processor)
    };
    assert!(
        matches!(error, LoadError::Exhausted { resource, .. } if gave_up(resource)),
        "{error}"
    );
}

#[tokio::test]
async fn a_load_is_limited_in_wall_clock_and_processor_time() {
    for (limits, says) in [
        (
            LoadingLimits {
                clock: Duration::from_secs(1),
                ..LIMITS
            },
            "it took longer than 1 s",
        ),
        (
            LoadingLimits {
                processor: Duration::from_secs(1),
                ..LIMITS
            },
            "it took more than 1 s of the processor",
        ),
    ] {
        let error = refused(&engine(limits), hostile("schema_doubles"))
            .await
            .to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_load_that_is_cancelled_ends_at_once() {
    // An argument by which the process is found in the list of processes.
    let processor = Duration::from_secs(77);
    let engine = engine(LoadingLimits {
        processor,
        ..LIMITS
    });
    let load = engine.load(Definition::new("guest"), hostile("schema_doubles").into());
    let mut load = Box::pin(load);
    let begun = Instant::now();
    while !is_running("--processor=77") {
        assert!(
            begun.elapsed() < test_support::PATIENCE,
            "it does not begin"
        );
        let little = Duration::from_millis(1);
        assert!(
            tokio::time::timeout(little, &mut load).await.is_err(),
            "it has ended"
        );
    }
    drop(load);
    let begun = Instant::now();
    while is_running("--processor=77") {
        assert!(
            begun.elapsed() < test_support::PATIENCE,
            "its process is still there"
        );
        tokio::task::yield_now().await;
    }
}

/// Returns true if a process with this argument is still running.
fn is_running(argument: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap();
    let mut lines = processes.filter_map(|process| {
        // A process that has ended meanwhile has no arguments.
        std::fs::read(process.ok()?.path().join("cmdline")).ok()
    });
    lines.any(|line| {
        line.split(|octet| *octet == 0)
            .any(|word| word == argument.as_bytes())
    })
}

/// A made-up module: a real one with damage, or sections with arbitrary counts.
fn made_up() -> impl Strategy<Value = Vec<u8>> {
    let real: Vec<Vec<u8>> = ["trap", "marks"].map(hostile).to_vec();
    let costly: Vec<_> = costly_modules()
        .into_iter()
        .map(|costly| costly.module)
        .collect();
    let small: Vec<_> = costly
        .into_iter()
        .filter(|module| module.len() < 1 << 16)
        .collect();
    let damaged = (
        prop::sample::select([real, small].concat()),
        prop::collection::vec((any::<Index>(), any::<u8>()), 0..8),
        prop::option::of((any::<Index>(), any::<Index>(), 1_usize..2_000)),
        prop::option::of(any::<Index>()),
    );
    let damaged = damaged.prop_map(|(mut module, octets, repeated, end)| {
        for (at, octet) in octets {
            let at = at.index(module.len());
            module[at] = octet;
        }
        // Some part repeated many times.
        if let Some((from, to, times)) = repeated {
            let from = from.index(module.len());
            let until = (from + 64).min(module.len());
            let piece = module[from..until].repeat(times);
            let to = to.index(module.len());
            module.splice(to..to, piece);
        }
        if let Some(end) = end {
            let end = end.index(module.len()).max(8);
            module.truncate(end);
        }
        module
    });
    let item = prop::collection::vec(any::<u8>(), 1..12);
    let sections = prop::collection::vec((0_u8..14, 0_usize..20_000, item), 1..6);
    let sections = (any::<bool>(), sections).prop_map(|(is_core, sections)| {
        let sections = sections
            .iter()
            .map(|(id, count, item)| items(*id, *count, item));
        let sections: Vec<_> = sections.collect();
        if is_core {
            core(&sections)
        } else {
            // Plain, or as a module of a component.
            component(&[section(1, &core(&sections)), sections.concat()])
        }
    });
    prop_oneof![damaged, sections]
}

#[test]
fn every_made_up_module_gets_an_answer() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = engine(LIMITS);
    let cases = std::env::var("PROPTEST_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    say(&format!(
        "{cases} made-up modules of the seed {:?}",
        str::from_utf8(&SEED).unwrap()
    ));
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let before = peak();
    let mut runner = TestRunner::new_with_rng(config, random);
    let tried = runner.run(&made_up(), |module| {
        let begun = Instant::now();
        let load = engine.load(Definition::new("guest"), module.into());
        if let Err(error) = runtime.block_on(load) {
            let text = error.to_string();
            prop_assert!(text.len() < 15_000);
            prop_assert!(!text.contains('\x1b'));
            prop_assert!(!text.contains("its process gave up"), "{}", text);
            // A crash would be reported: only limits may end the process.
            let died = matches!(
                error,
                LoadError::Exhausted {
                    resource: Resource::Signal(_),
                    ..
                }
            );
            prop_assert!(!died, "{}", text);
        }
        prop_assert!(begun.elapsed() < LIMITS.clock);
        Ok(())
    });
    tried.unwrap();
    assert!(peak() - before < GROWTH, "{} KiB more", peak() - before);
}
