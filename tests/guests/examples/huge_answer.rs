//! Writes far too long reasons, past the SDK, which would cut them.

hostile_guests::hostile!(HugeAnswer, |_message, _decision| {
    for _ in 0..1_000 {
        say(&"x".repeat(1_000));
    }
    Verdict::Pass
});

#[cfg(target_arch = "wasm32")]
fn say(text: &str) {
    gatepost_sdk::glue::log::write(gatepost_sdk::Level::Debug, text);
}

#[cfg(not(target_arch = "wasm32"))]
fn say(_: &str) {}
