//! Answers more than anybody wants to know.

hostile_guests::hostile!(HugeAnswer, |_message, decision| {
    for _ in 0..1_000 {
        decision.reason("x".repeat(1_000));
    }
    Verdict::Pass
});
