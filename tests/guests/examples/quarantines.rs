//! Quarantines every message.

hostile_guests::hostile!(Quarantines, |_message, decision| {
    decision.reason("it carries X-Attack");
    Verdict::Quarantine("a person should look at it".into())
});
