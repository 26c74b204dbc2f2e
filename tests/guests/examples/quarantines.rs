//! Has a person look at it.

hostile_guests::hostile!(Quarantines, |_message, decision| {
    decision.reason("it carries X-Attack");
    Verdict::Quarantine("a person should look at it".into())
});
