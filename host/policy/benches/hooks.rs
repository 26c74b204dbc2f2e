//! The cost of a hook's call: `cargo bench -p gatepost-policy`.

#![allow(clippy::unwrap_used)] // the input is known

mod chain;

use chain::native::Native;
use chain::sandboxed::Sandboxed;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// One policy that judges a message, or routes a recipient.
#[divan::bench(args = ["loop-guard", "header-guard", "outbound-route"])]
fn one_hook(bencher: Bencher, policy: &str) {
    let chain = Sandboxed::new(&[policy]);
    let message = chain::message();
    bencher.bench_local(|| chain.judge(black_box(&message)));
}

#[divan::bench]
fn three_policies_sandboxed(bencher: Bencher) {
    let chain = Sandboxed::new(&["loop-guard", "header-guard", "outbound-route"]);
    let message = chain::message();
    bencher.bench_local(|| chain.judge(black_box(&message)));
}

#[divan::bench]
fn three_policies_natively(bencher: Bencher) {
    let native = Native::new();
    let message = chain::message();
    bencher.bench_local(|| native.judge(black_box(&message)));
}
