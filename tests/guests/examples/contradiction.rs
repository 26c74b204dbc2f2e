//! Rejects with a temporary code.

hostile_guests::hostile!(Contradiction, |_message, _decision| {
    Verdict::reject(451, "5.7.1", "both yes and no")
});
