//! Answers more than anybody wants to know, past the SDK, which would cut it.

hostile_guests::hostile!(HugeAnswer, |_message, _decision| {
    for _ in 0..1_000 {
        say(&"x".repeat(1_000));
    }
    Verdict::Pass
});

#[cfg(target_arch = "wasm32")]
fn say(text: &str) {
    use gatepost_sdk::bindings::host::gatepost::policy::log;

    log::write(log::Level::Debug, text);
}

#[cfg(not(target_arch = "wasm32"))]
fn say(_: &str) {}
