//! Well behaved: reads the body of a message that carries the header `X-Attack`, and lets it pass.

hostile_guests::hostile!(ReadsBody, |message, decision| {
    decision.reason(format!(
        "a body of {} octets",
        message.body_chunk(0, 100).len()
    ));
    Verdict::Pass
});
