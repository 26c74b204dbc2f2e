//! What an observation keeps, and how much of it at most. Real host calls are observed in the
//! scenarios of `gatepost policy run`.
#![allow(clippy::unwrap_used)]

use gatepost_policy::observation::{HOST_CALL_TARGET, HostValue, ObservedCall, count, observe};

const HOOK: &str = "gatepost_policy::contract::hook";

fn hook(name: &str, trial: bool) {
    tracing::trace!(target: HOOK, policy = "guest", hook = name, trial);
}

/// Tells of a call as the generated bindings do.
fn host_call(address: &str) {
    let span = tracing::trace_span!(
        target: HOST_CALL_TARGET,
        "wit-bindgen import",
        module = "directory",
        function = "partner",
    );
    let _entered = span.enter();
    let answer: Result<Option<String>, String> = Ok(None);
    tracing::trace!(target: HOST_CALL_TARGET, address = tracing::field::debug(address), "call");
    tracing::trace!(target: HOST_CALL_TARGET, result = tracing::field::debug(&answer), "return");
}

#[tokio::test]
async fn a_host_call_is_kept_with_argument_and_answer() {
    let ((), observed) = observe(async {
        hook("message", false);
        host_call("ann@sender.example");
        tracing::trace!(target: HOOK, memory = 65_536_u64);
    })
    .await;
    let [of]: [ObservedCall; 1] = observed.try_into().unwrap();
    assert_eq!((of.policy.as_str(), of.hook.as_str()), ("guest", "message"));
    assert_eq!((of.memory, of.more_host_calls), (65_536, 0));
    let call = &of.host_calls[0];
    assert_eq!(call.interface, "directory");
    assert_eq!(call.function, "partner");
    let (name, argument) = &call.arguments[0];
    assert_eq!(name, "address");
    assert_eq!(argument.to_string(), "\"ann@sender.example\"");
    assert_eq!(call.answer, HostValue::None);
}

#[tokio::test]
async fn a_module_that_calls_without_end_fills_no_memory() {
    let ((), observed) = observe(async {
        hook("message", false);
        for _ in 0..1_500 {
            host_call("a");
        }
    })
    .await;
    assert_eq!(observed[0].host_calls.len(), 1_000);
    assert_eq!(observed[0].more_host_calls, 500);
    // Long values take the room of many.
    let ((), observed) = observe(async {
        for _ in 0..10 {
            hook("recipient", false);
            for _ in 0..1_000 {
                host_call(&"x".repeat(100_000));
            }
        }
    })
    .await;
    let kept: usize = observed.iter().map(|of| of.host_calls.len()).sum();
    let more: u64 = observed.iter().map(|of| of.more_host_calls).sum();
    assert!((3_000..5_000).contains(&kept), "{kept}");
    assert_eq!(kept as u64 + more, 10_000);
}

#[tokio::test]
async fn trials_of_a_version_are_left_out_and_counting_keeps_nothing() {
    let ((), observed) = count(async {
        hook("message", false);
        host_call("a");
        hook("message", true);
        host_call("b");
        hook("route", false);
        host_call("c");
        host_call("d");
    })
    .await;
    let counted = observed
        .iter()
        .map(|of| (of.hook.as_str(), of.host_calls.len(), of.more_host_calls));
    assert!(counted.eq([("message", 0, 1), ("route", 0, 2)]));
}
