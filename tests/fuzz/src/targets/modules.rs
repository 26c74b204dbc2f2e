//! Modules of policies.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gatepost_policy::{Engine, EngineSettings, Loading, Program};
use tokio::runtime::{Builder, Runtime};

use crate::Target;

/// Files that are loaded as modules, each in a process of its own as the relay does.
pub const TARGET: Target = Target {
    name: "modules",
    rule: "a module is inspected or refused in a sentence, within the limits of the process that loads it",
    seeds: || {
        let builtin = gatepost_builtin::module("outbound-route").unwrap_or_default();
        vec![
            // The beginning of a real one, and what is small enough to be changed everywhere.
            builtin[..builtin.len().min(4_096)].to_vec(),
            b"\0asm\x01\0\0\0".to_vec(),
            b"\0asm\x0d\0\x01\0".to_vec(),
            b"(module (func (export \"f\") (loop br 0)))".to_vec(),
        ]
    },
    words: &[
        b"\0asm",
        b"\x01\0\0\0",
        b"\x0d\0\x01\0",
        b"\0",
        b"\x04",
        b"\x0a",
        b"\xff\xff\xff\xff\x0f",
        b"\x60\0\0",
        b"\x0b",
    ],
    suite: 40,
    check,
};

fn engine() -> &'static (Runtime, Arc<Engine>) {
    static ENGINE: OnceLock<(Runtime, Arc<Engine>)> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let runtime = Builder::new_multi_thread().enable_all().build();
        let program = Program {
            path: test_support::binary(),
            arguments: vec!["load-policy".into()],
            limits: gatepost_policy::LoadingLimits::default(),
        };
        let engine = Engine::new(EngineSettings {
            loading: Loading::InChild(program),
            ..EngineSettings::default()
        });
        match (runtime, engine) {
            (Ok(runtime), Ok(engine)) => (runtime, engine),
            _ => panic!("no engine on this machine"),
        }
    })
}

fn check(input: &[u8]) {
    let (runtime, engine) = engine();
    let begun = Instant::now();
    let inspected = runtime.block_on(engine.inspect(Bytes::copy_from_slice(input)));
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "it took too long"
    );
    if let Err(error) = inspected {
        let sentence = error.to_string();
        assert!(
            !sentence.is_empty() && sentence.len() < 16 << 10,
            "{sentence}"
        );
    }
}
