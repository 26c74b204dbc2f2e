//! The cost of a chain of three built-in policies for a message of 10 KiB, in the sandbox and
//! natively; part of `cargo xtask bench`. Prints microseconds for each message as JSON, several
//! samples of each.

#![allow(clippy::unwrap_used)] // it measures known input

#[path = "../benches/chain/mod.rs"]
mod chain;

use std::time::Instant;

use chain::native::Native;
use chain::sandboxed::Sandboxed;
use gatepost_message::Message;
use serde_json::json;

const SAMPLES: usize = 21;
const MESSAGES: u32 = 500;

fn main() {
    let sandboxed = Sandboxed::new(&["loop-guard", "header-guard", "outbound-route"]);
    let native = Native::new();
    let message = chain::message();
    let [in_sandbox, natively] = [sandboxed.judge(&message), native.judge(&message)];
    assert_eq!(in_sandbox.head(), natively.head(), "both sides do the same");
    let (mut sandbox_times, mut native_times) = (Vec::new(), Vec::new());
    // The first sample is a warm-up.
    for sample in 0..=SAMPLES {
        let times = [
            cost(|| sandboxed.judge(&message)),
            cost(|| native.judge(&message)),
        ];
        if sample > 0 {
            sandbox_times.push(times[0]);
            native_times.push(times[1]);
        }
    }
    println!(
        "{}",
        json!({ "sandboxed": sandbox_times, "native": native_times })
    );
}

/// Returns the microseconds for one message.
fn cost(judge: impl Fn() -> Message) -> f64 {
    let begun = Instant::now();
    for _ in 0..MESSAGES {
        std::hint::black_box(judge());
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(MESSAGES)
}
